/* Ptrace access mode checking: who is not dumpable, or has other ids, is not looked into. */
#include "guest.h"
#include <linux/kcmp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static char text[8] = "text";

static void show_open(const char *name, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY);
    char byte;
    if (fd < 0)
        printf("%s: open %s\n", name, errno_name(errno));
    else
        printf("%s: read %s\n", name, read(fd, &byte, 1) < 0 ? errno_name(errno) : "ok");
    close(fd);
}

static void look(const char *what, pid_t pid) {
    char copy[8], path[64];
    struct iovec local = {copy, 4}, remote = {text, 4};
    int pidfd = syscall(SYS_pidfd_open, pid, 0);
    CHECK(pidfd >= 0);
    printf("-- %s\n", what);
    SHOW(process_vm_readv(pid, &local, 1, &remote, 1, 0));
    SHOW(process_vm_writev(pid, &local, 1, &remote, 1, 0));
    SHOW_OK(syscall(SYS_kcmp, pid, pid, KCMP_VM, 0, 0));
    SHOW_OK(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
    show_open("environ", pid);
    show_open("maps", pid);
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    SHOW_OK(readlink(path, copy, sizeof copy));
    SHOW(ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 ? ptrace(PTRACE_INTERRUPT, pid, 0, 0) : -1);
    close(pidfd);
}

/* A child that says when it is ready, and is killed in the end. */
static pid_t start(void (*prepare)(void)) {
    int ready[2];
    char byte = 0;
    CHECK(pipe(ready) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prepare();
        CHECK(write(ready[1], &byte, 1) == 1);
        for (;;)
            pause();
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void end(pid_t child) {
    int status;
    CHECK(kill(child, SIGKILL) == 0);
    while (waitpid(child, &status, 0) == child && !WIFSIGNALED(status))
        ;
}

static void nothing(void) {
}

static void hide(void) {
    CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
}

int main(void) {
    become_nobody();
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    pid_t child = start(nothing);
    look("open", child);
    end(child);
    child = start(hide);
    look("not dumpable", child);
    end(child);
    look("itself", getpid());
    return 0;
}
