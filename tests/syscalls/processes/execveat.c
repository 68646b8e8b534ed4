/* execveat(2): descriptors, scripts by descriptor, flags; interpreters one after another. */
#include "guest.h"
#include <sys/auxv.h>

static char *variables[] = {"A=1", NULL};

static void run(const char *what, int directory, const char *path, int flags) {
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char *arguments[] = {"zero", "one", NULL};
        syscall(SYS_execveat, directory, path, arguments, variables, flags);
        printf("%s: %s\n", what, errno_name(errno));
        fflush(stdout);
        _exit(0);
    }
    wait_and_show(what, child);
}

static void script(const char *path, const char *text) {
    put_file(path, text);
    CHECK(chmod(path, 0755) == 0);
}

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[0], "zero") == 0) {
        const char *name = (const char *)getauxval(AT_EXECFN);
        printf("executed: %s %s\n", arguments[1], strncmp(name, "/dev/fd/", 8) ? "a path" : name);
        return 11;
    }
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int place = open("/proc/self/exe", O_PATH);
    int plain = open("/proc/self/exe", O_RDONLY);
    int here = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(dup2(plain, 20) == 20 && dup3(self, 21, O_CLOEXEC) == 21 && dup2(place, 22) == 22);
    run("empty path", 20, "", AT_EMPTY_PATH);
    run("empty path, closing", 21, "", AT_EMPTY_PATH);
    run("O_PATH", 22, "", AT_EMPTY_PATH);
    run("no AT_EMPTY_PATH", 20, "", 0);
    run("bad flags", 20, "", AT_EMPTY_PATH | 1);
    run("bad descriptor", 99, "", AT_EMPTY_PATH);
    run("bad directory", 99, "x", 0);
    run("no directory", 20, "x", 0);
    run("null path", 20, NULL, AT_EMPTY_PATH);
    CHECK(symlink("/proc/self/exe", "link") == 0);
    run("link", here, "link", 0);
    run("no link", here, "link", AT_SYMLINK_NOFOLLOW);
    script("script", "#!/bin/sh\necho \"script $1 ${0%%[0-9]*}\"\nexit 4\n");
    run("script", here, "script", 0);
    run("missing", here, "missing", 0);
    run("directory", here, "", AT_EMPTY_PATH);
    int opened = open("script", O_RDONLY);
    CHECK(dup2(opened, 30) == 30 && dup3(opened, 31, O_CLOEXEC) == 31);
    run("script by descriptor", 30, "", AT_EMPTY_PATH);
    run("script by closing descriptor", 31, "", AT_EMPTY_PATH);

    /* Interpreters of interpreters. */
    script("level1", "#!./script argument  with blanks \t\n");
    run("level 1", here, "level1", 0);
    char name[20], line[40];
    for (int level = 2; level < 8; level++) {
        snprintf(name, sizeof name, "level%d", level);
        snprintf(line, sizeof line, "#!./level%d\n", level - 1);
        script(name, line);
        run(name, here, name, 0);
    }
    script("none", "#!\n");
    run("no interpreter", here, "none", 0);
    script("blank", "#!   \n");
    run("blank interpreter", here, "blank", 0);
    script("unknown", "#!/no/such/interpreter\n");
    run("unknown interpreter", here, "unknown", 0);
    script("folder", "#!/tmp\n");
    run("a directory interprets", here, "folder", 0);
    script("unended", "#!/bin/sh");
    run("no newline", here, "unended", 0);
    char text[400];
    snprintf(text, sizeof text, "#!/bin/sh %0300d\n", 0);
    script("long", text);
    run("long line", here, "long", 0);
    snprintf(text, sizeof text, "#!/%0300d\n", 0);
    script("longer", text);
    run("long interpreter", here, "longer", 0);
    script("text", "echo no first line\n");
    run("text", here, "text", 0);
    script("short", "\x7f" "ELF");
    run("short ELF", here, "short", 0);
    return 0;
}
