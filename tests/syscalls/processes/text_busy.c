/* ETXTBSY: a file that is open for writing is not executed, one that is executed not written. */
#include "guest.h"

static char *arguments[] = {"/bin/true", NULL};
static char *variables[] = {NULL};

static void copy_program(const char *from, const char *to) {
    char buffer[65536];
    ssize_t count;
    int source = open(from, O_RDONLY), target = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    CHECK(source >= 0 && target >= 0);
    while ((count = read(source, buffer, sizeof buffer)) > 0)
        CHECK(write(target, buffer, count) == count);
    close(source);
    close(target);
}

/* Execute in a child, and say how it went. */
static void run(const char *what, const char *path) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        execve(path, arguments, variables);
        printf("%s: %s\n", what, errno_name(errno));
        _exit(1);
    }
    wait_and_show(what, child);
}

static void run_descriptor(const char *what, int fd) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        syscall(SYS_execveat, fd, "", arguments, variables, AT_EMPTY_PATH);
        printf("%s: %s\n", what, errno_name(errno));
        _exit(1);
    }
    wait_and_show(what, child);
}

static void writers(void) {
    copy_program("/bin/true", "program");
    run("nobody writes", "./program");
    int fd = open("program", O_RDONLY);
    run("open for reading", "./program");
    close(fd);
    fd = open("program", O_WRONLY);
    run("open for writing", "./program");
    int copy = dup(fd);
    close(fd);
    run("a copy of it", "./program");
    close(copy);
    run("closed", "./program");
    fd = open("program", O_RDWR);
    run_descriptor("its own descriptor", fd);
    CHECK(link("program", "other-name") == 0);
    run("another name", "./other-name");
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    close(fd);
    run("mapped for writing", "./program");
    CHECK(munmap(memory, 4096) == 0);
    run("unmapped", "./program");
    fd = open("program", O_RDONLY);
    memory = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED);
    close(fd);
    run("mapped for reading", "./program");
    CHECK(munmap(memory, 4096) == 0);
    fd = open("program", O_PATH | O_RDWR);
    run("a place", "./program");
    run_descriptor("the place", fd);
    close(fd);
}

static void scripts(void) {
    put_file("script", "#!./program\n");
    CHECK(chmod("script", 0755) == 0);
    run("script", "./script");
    int fd = open("script", O_WRONLY);
    run("script open for writing", "./script");
    close(fd);
    fd = open("program", O_WRONLY);
    run("interpreter open for writing", "./script");
    close(fd);
}

static void running(void) {
    int ready[2], end[2];
    char byte;
    copy_program("/proc/self/exe", "sleeper");
    CHECK(pipe(ready) == 0 && pipe(end) == 0);
    pid_t child = fork();
    if (child == 0) {
        char number[2][16];
        close(end[1]);
        snprintf(number[0], 16, "%d", ready[1]);
        snprintf(number[1], 16, "%d", end[0]);
        execl("./sleeper", "sleeper", number[0], number[1], NULL);
        _exit(1);
    }
    close(ready[1]);
    CHECK(read(ready[0], &byte, 1) == 1);
    SHOW(open("sleeper", O_WRONLY));
    SHOW(open("sleeper", O_RDWR));
    SHOW(open("sleeper", O_RDONLY | O_TRUNC));
    SHOW(open("sleeper", O_WRONLY | O_CREAT, 0700));
    SHOW(truncate("sleeper", 0));
    SHOW_OK(open("sleeper", O_RDONLY));
    SHOW(chmod("sleeper", 0700));
    SHOW(rename("sleeper", "renamed"));
    SHOW(open("renamed", O_WRONLY));
    SHOW(unlink("renamed"));
    close(end[1]);
    wait_and_show("sleeper", child);
}

static void memory_files(void) {
    char buffer[65536];
    ssize_t count;
    int source = open("/bin/true", O_RDONLY);
    int fd = memfd_create("program", MFD_CLOEXEC);
    char path[64];
    CHECK(source >= 0 && fd >= 0);
    while ((count = read(source, buffer, sizeof buffer)) > 0)
        CHECK(write(fd, buffer, count) == count);
    run_descriptor("memfd", fd);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, O_WRONLY);
    CHECK(again >= 0);
    run_descriptor("memfd open for writing again", fd);
    close(again);
    run_descriptor("memfd at last", fd);
}

int main(int argc, char **argv) {
    if (argc == 3) {
        char byte = 0;
        CHECK(write(atoi(argv[1]), &byte, 1) == 1);
        return read(atoi(argv[2]), &byte, 1) == 0 ? 0 : 1;
    }
    writers();
    scripts();
    running();
    memory_files();
    return 0;
}
