/* A program's own seccomp filters: every action, stacking, strict mode, bad programs. */
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

static int install(unsigned number, unsigned action) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, filter};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void on_sigsys(int number, siginfo_t *info, void *context) {
    (void)context;
    printf("signal %d code %d errno %d nr %d arch %x\n", number, info->si_code, info->si_errno,
           info->si_syscall, info->si_arch);
    fflush(stdout);
}

static void try_action(const char *name, unsigned action) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct sigaction handler = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
        CHECK(sigaction(SIGSYS, &handler, NULL) == 0);
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(install(SYS_getppid, action) == 0);
        errno = 0;
        long result = syscall(SYS_getppid);
        printf("%s: %s, errno %d\n", name, result < 0 ? "failed" : "went on", errno);
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    printf("%s: signal %d\n", name, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void stacked(void) {
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(install(SYS_getppid, SECCOMP_RET_ERRNO | 3) == 0);
    CHECK(install(SYS_getppid, SECCOMP_RET_ERRNO | 4) == 0);
    SHOW(syscall(SYS_getppid) == -1);
    printf("errno %d, mode %d\n", errno, prctl(PR_GET_SECCOMP));
    SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    fflush(stdout);
}

static void strict(void) {
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
    CHECK(write(1, "strict\n", 7) == 7);
    getpid();
}

static void in_child(void (*function)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        function();
        syscall(SYS_exit, 1);
    }
    wait_and_show("child", child);
}

int main(void) {
    try_action("errno", SECCOMP_RET_ERRNO | 7);
    try_action("kill process", SECCOMP_RET_KILL_PROCESS);
    try_action("kill thread", SECCOMP_RET_KILL_THREAD);
    try_action("trap", SECCOMP_RET_TRAP | 5);
    try_action("allow", SECCOMP_RET_ALLOW);
    try_action("trace", SECCOMP_RET_TRACE);
    in_child(stacked);
    in_child(strict);
    unsigned action = SECCOMP_RET_LOG;
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
    struct sock_filter endless = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    struct sock_fprog program = {1, &endless};
    SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
    return 0;
}
