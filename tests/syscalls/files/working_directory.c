/* chdir(2), getcwd(2): the name follows renames, small buffers, a removed directory. */
#include "guest.h"

static char start[4096];

static void here(void) {
    char path[4096];
    if (getcwd(path, sizeof path) == NULL)
        printf("getcwd: %s\n", errno_name(errno));
    else
        printf("%s\n", strncmp(path, start, strlen(start)) ? path : path + strlen(start));
}

int main(void) {
    CHECK(getcwd(start, sizeof start));
    SHOW(mkdir("a", 0755));
    SHOW(mkdir("a/b", 0755));
    SHOW(chdir("a/b"));
    here();
    CHECK(rename("../../a", "../../renamed") == 0);
    here();
    SHOW(chdir(".."));
    here();
    SHOW(symlink("b", "link"));
    SHOW(chdir("link"));
    here();
    char small[3];
    SHOW(syscall(SYS_getcwd, small, sizeof small));
    SHOW(chdir("/"));
    SHOW(syscall(SYS_getcwd, small, sizeof small));
    puts(small);
    SHOW(chdir(start));
    SHOW(mkdir("gone", 0755));
    SHOW(chdir("gone"));
    SHOW(rmdir("../gone"));
    here();
    SHOW(chdir(start));
    put_file("file", "x");
    SHOW(chdir("file"));
    SHOW(chdir("missing"));
    SHOW(fchdir(77));
    pid_t child = fork();
    if (child == 0) {
        SHOW(chdir("/dev"));
        here();
        _exit(0);
    }
    wait_and_show("child", child);
    here();
    return 0;
}
