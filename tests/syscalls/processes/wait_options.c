/* waitid(2) and wait4(2): __WCLONE, __WALL, __WNOTHREAD, P_PIDFD, P_PGID, WNOWAIT of every change. */
// guest: cflags = -pthread
#include "guest.h"
#include <sched.h>
#include <semaphore.h>
#include <sys/resource.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void show_info(const char *what, long result, const siginfo_t *info, pid_t child) {
    printf("%s: %ld, signal %d, code %d, status %d, its id %d, errno field %d\n", what, result,
           info->si_signo, info->si_code, info->si_status, info->si_pid == child, info->si_errno);
}

static void wait_info(const char *what, int kind, int id, int options, pid_t child) {
    siginfo_t info;
    memset(&info, 0x55, sizeof info);
    errno = 0;
    long result = waitid(kind, id, &info, options);
    if (result < 0)
        printf("%s: %s\n", what, errno_name(errno));
    else
        show_info(what, result, &info, child);
}

static pid_t sleeper(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        for (;;)
            pause();
    return child;
}

static void changes(void) {
    pid_t child = sleeper();
    siginfo_t info;
    wait_info("nothing yet", P_PID, child, WEXITED | WSTOPPED | WCONTINUED | WNOHANG, child);
    SHOW(syscall(SYS_waitid, P_PID, child, NULL, WEXITED | WNOHANG, NULL));
    CHECK(kill(child, SIGSTOP) == 0);
    wait_info("stopped, kept", P_PID, child, WSTOPPED | WNOWAIT, child);
    wait_info("stopped", P_PID, child, WSTOPPED, child);
    wait_info("stopped, taken", P_PID, child, WSTOPPED | WNOHANG, child);
    CHECK(kill(child, SIGCONT) == 0);
    wait_info("continued, kept", P_ALL, 0, WCONTINUED | WNOWAIT, child);
    wait_info("continued", P_ALL, 0, WCONTINUED, child);
    wait_info("continued, taken", P_ALL, 0, WCONTINUED | WNOHANG, child);
    CHECK(kill(child, SIGTERM) == 0);
    wait_info("ended, kept", P_PGID, getpgrp(), WEXITED | WNOWAIT, child);
    wait_info("ended, kept again", P_PGID, 0, WEXITED | WNOWAIT, child);
    struct rusage usage;
    memset(&info, 0, sizeof info);
    SHOW(syscall(SYS_waitid, P_PID, child, &info, WEXITED, &usage));
    wait_info("gone", P_PID, child, WEXITED, child);
}

static void by_descriptor(void) {
    pid_t child = sleeper();
    int fd = syscall(SYS_pidfd_open, child, 0);
    CHECK(fd >= 0);
    wait_info("running", P_PIDFD, fd, WEXITED | WNOHANG, child);
    CHECK(kill(child, SIGKILL) == 0);
    wait_info("killed", P_PIDFD, fd, WEXITED, child);
    wait_info("waited for", P_PIDFD, fd, WEXITED, child);
    wait_info("no pidfd", P_PIDFD, 0, WEXITED, child);
    wait_info("no descriptor", P_PIDFD, 999, WEXITED, child);
    wait_info("negative", P_PIDFD, -1, WEXITED, child);
    close(fd);
    child = sleeper();
    fd = syscall(SYS_pidfd_open, child, O_NONBLOCK);
    wait_info("not blocking", P_PIDFD, fd, WEXITED, child);
    CHECK(kill(child, SIGKILL) == 0);
    wait_and_show("sleeper", child);
    close(fd);
    fd = syscall(SYS_pidfd_open, getpid(), 0);
    wait_info("no child", P_PIDFD, fd, WEXITED, child);
    close(fd);
}

static void bad(void) {
    int status;
    pid_t child = sleeper();
    wait_info("no options", P_ALL, 0, 0, child);
    wait_info("only WNOHANG", P_ALL, 0, WNOHANG, child);
    wait_info("unknown option", P_ALL, 0, WEXITED | 0x100, child);
    wait_info("unknown kind", 4, 0, WEXITED, child);
    wait_info("process 0", P_PID, 0, WEXITED, child);
    wait_info("process -1", P_PID, -1, WEXITED, child);
    wait_info("group -1", P_PGID, -1, WEXITED, child);
    SHOW(syscall(SYS_wait4, child, &status, WEXITED, NULL));
    SHOW(syscall(SYS_wait4, child, &status, WNOWAIT, NULL));
    SHOW(syscall(SYS_wait4, -2147483648, &status, 0, NULL));
    SHOW(syscall(SYS_wait4, -99999999, &status, 0, NULL));
    CHECK(kill(child, SIGKILL) == 0);
    siginfo_t info;
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
    SHOW(syscall(SYS_wait4, child, 8, 0, NULL));
    SHOW(syscall(SYS_wait4, child, &status, 0, NULL));
}

static int quiet(void *status) { return (int)(long)status; }
static char stack[65536] __attribute__((aligned(16)));

/* Children without SIGCHLD are clone children. */
static void clone_children(void) {
    int status;
    signal(SIGUSR2, SIG_IGN);
    pid_t plain = fork();
    if (plain == 0)
        _exit(1);
    pid_t other = clone(quiet, stack + sizeof stack, SIGUSR2 | CLONE_VM | CLONE_VFORK, (void *)2);
    CHECK(other > 0);
    SHOW(waitpid(other, &status, 0));
    SHOW(waitpid(plain, &status, __WCLONE));
    wait_info("clone child", P_ALL, 0, WEXITED | __WCLONE | WNOWAIT, other);
    SHOW(waitpid(-1, &status, __WCLONE) == other);
    show_status("clone child", status);
    SHOW(waitpid(-1, &status, __WALL) == plain);
    show_status("plain child", status);
    SHOW(waitpid(-1, &status, __WALL));
    SHOW(waitpid(-1, &status, __WALL | __WCLONE));
}

static pid_t of_thread;
static sem_t made, looked;

static void *makes_child(void *unused) {
    int status;
    of_thread = fork();
    if (of_thread == 0)
        for (;;)
            pause();
    sem_post(&made);
    sem_wait(&looked);
    SHOW(waitpid(of_thread, &status, __WNOTHREAD) == of_thread);
    show_status("thread's child", status);
    return unused;
}

static void of_threads(void) {
    int status;
    pthread_t thread;
    CHECK(sem_init(&made, 0, 0) == 0 && sem_init(&looked, 0, 0) == 0);
    CHECK(pthread_create(&thread, NULL, makes_child, NULL) == 0);
    sem_wait(&made);
    SHOW(waitpid(of_thread, &status, __WNOTHREAD | WNOHANG));
    SHOW(waitpid(of_thread, &status, WNOHANG));
    wait_info("not of this thread", P_ALL, 0, WEXITED | __WNOTHREAD, of_thread);
    CHECK(kill(of_thread, SIGKILL) == 0);
    sem_post(&looked);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void) {
    changes();
    by_descriptor();
    bad();
    clone_children();
    of_threads();
    return 0;
}
