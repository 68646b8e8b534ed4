/* clone3(2): numbers chosen on several levels, cleared handlers, exit signals, descriptors, errors. */
// guest: user = root
#include "guest.h"
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>

static pid_t clone3(struct clone_args *arguments) {
    return syscall(SYS_clone3, arguments, sizeof *arguments);
}

/* Four numbers in a row that nobody has. */
static pid_t free_numbers(void) {
    for (pid_t first = 31234;; first += 4) {
        int found = 0;
        while (found < 4 && kill(first + found, 0) == -1 && errno == ESRCH)
            found++;
        if (found == 4)
            return first;
    }
}

static void handler(int number) { (void)number; }

static void chosen(void) {
    pid_t numbers[40] = {0};
    const pid_t first = free_numbers();
    int status;
    struct clone_args arguments = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)numbers};
    for (int i = 0; i < 40; i++)
        numbers[i] = 1;
    arguments.set_tid_size = 33;
    SHOW(clone3(&arguments));
    arguments.set_tid_size = 32;
    SHOW(clone3(&arguments));
    arguments.set_tid_size = 0;
    SHOW(clone3(&arguments));
    arguments.set_tid = 0;
    arguments.set_tid_size = 1;
    SHOW(clone3(&arguments));
    arguments.set_tid = (uintptr_t)numbers;
    numbers[0] = 0;
    SHOW(clone3(&arguments));
    numbers[0] = -1;
    SHOW(clone3(&arguments));
    numbers[0] = getpid();
    SHOW(clone3(&arguments));
    numbers[0] = 1 << 22;
    SHOW(clone3(&arguments));
    numbers[0] = first;
    pid_t child = clone3(&arguments);
    if (child == 0)
        _exit(getpid() == first ? 1 : 2);
    SHOW(child == first);
    wait_and_show("chosen", child);
    arguments.set_tid = 8;
    SHOW(clone3(&arguments));
    /* Number 1 inside of a new namespace, another one outside; the inner one must be 1. */
    arguments.set_tid = (uintptr_t)numbers;
    arguments.flags = CLONE_NEWPID;
    arguments.set_tid_size = 2;
    numbers[0] = 2;
    numbers[1] = first + 1;
    SHOW(clone3(&arguments));
    numbers[0] = 1;
    child = clone3(&arguments);
    if (child == 0) {
        struct clone_args inner = {
            .exit_signal = SIGCHLD, .set_tid = (uintptr_t)numbers, .set_tid_size = 2};
        numbers[0] = 77;
        numbers[1] = first + 2;
        pid_t grandchild = clone3(&inner);
        if (grandchild == 0)
            _exit(getpid());
        CHECK(waitpid(grandchild, &status, 0) == grandchild);
        _exit(grandchild == 77 && WEXITSTATUS(status) == 77 && getpid() == 1 ? 3 : 4);
    }
    SHOW(child == first + 1);
    wait_and_show("two levels", child);
    child = fork();
    if (child == 0) {
        become_nobody();
        arguments.flags = 0;
        arguments.set_tid_size = 1;
        numbers[0] = first + 3;
        SHOW(clone3(&arguments));
        _exit(0);
    }
    wait_and_show("nobody", child);
}

static void cleared(void) {
    struct sigaction action;
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    struct clone_args arguments = {.exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND};
    pid_t child = clone3(&arguments);
    if (child == 0) {
        CHECK(sigaction(SIGUSR1, NULL, &action) == 0);
        printf("handled is %s\n", action.sa_handler == SIG_DFL ? "default" : "kept");
        CHECK(sigaction(SIGUSR2, NULL, &action) == 0);
        printf("ignored is %s\n", action.sa_handler == SIG_IGN ? "kept" : "default");
        _exit(0);
    }
    wait_and_show("cleared", child);
    arguments.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM;
    SHOW(clone3(&arguments));
}

static void bad(void) {
    struct clone_args arguments = {.exit_signal = 65};
    SHOW(clone3(&arguments));
    arguments.exit_signal = 0x100;
    SHOW(clone3(&arguments));
    arguments = (struct clone_args){.exit_signal = SIGCHLD, .flags = CLONE_DETACHED};
    SHOW(clone3(&arguments));
    arguments.flags = SIGCHLD;
    SHOW(clone3(&arguments));
    arguments.flags = 1ULL << 40;
    SHOW(clone3(&arguments));
    arguments.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM; /* with an exit signal */
    SHOW(clone3(&arguments));
    arguments.flags = CLONE_PARENT;
    SHOW(clone3(&arguments));
    arguments = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
    SHOW(clone3(&arguments));
    arguments = (struct clone_args){.exit_signal = SIGCHLD, .stack_size = 4096};
    SHOW(clone3(&arguments));
    arguments = (struct clone_args){.exit_signal = SIGCHLD, .stack = ~0ULL - 8192, .stack_size = 4096};
    SHOW(clone3(&arguments));
    arguments = (struct clone_args){.exit_signal = SIGCHLD, .cgroup = 3};
    arguments.flags = CLONE_FS | CLONE_NEWNS;
    SHOW(clone3(&arguments));
    arguments.flags = CLONE_FS | CLONE_NEWUSER;
    SHOW(clone3(&arguments));
    arguments.exit_signal = 0;
    arguments.flags = CLONE_NEWIPC | CLONE_SYSVSEM;
    SHOW(clone3(&arguments));
    arguments.flags = CLONE_PIDFD | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
    arguments.pidfd = 8;
    SHOW(clone3(&arguments));
    SHOW(syscall(SYS_clone3, &arguments, 63));
    SHOW(syscall(SYS_clone3, &arguments, 5000));
    SHOW(syscall(SYS_clone3, 8, sizeof arguments));
    SHOW(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID, 0, 8, 0, 0));
    SHOW(syscall(SYS_clone, CLONE_PIDFD | CLONE_DETACHED, 0, 8, 0, 0));
    SHOW(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8, 0, 0));
}

/* The exit signal; CLONE_PARENT; a descriptor of the child. */
static void family(void) {
    int status, pidfd = -1, parent_tid = 0, child_tid = 0;
    struct clone_args arguments = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
                                   .pidfd = (uintptr_t)&pidfd,
                                   .parent_tid = (uintptr_t)&parent_tid,
                                   .child_tid = (uintptr_t)&child_tid,
                                   .exit_signal = SIGUSR1};
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    pid_t child = clone3(&arguments);
    if (child == 0)
        _exit(child_tid == getpid() && parent_tid == getpid() && pidfd != -1 ? 5 : 6);
    SHOW(parent_tid == child);
    SHOW(child_tid);
    SHOW(fcntl(pidfd, F_GETFD));
    struct pollfd asked = {pidfd, POLLIN, 0};
    SHOW(poll(&asked, 1, -1));
    SHOW(sigwaitinfo(&set, &info) == SIGUSR1);
    printf("code %d, status %d\n", info.si_code, info.si_status);
    SHOW(waitpid(child, &status, 0));
    SHOW(waitpid(child, &status, __WCLONE) == child);
    show_status("with another signal", status);
    /* A sibling: its parent is ours, and so is its exit signal. */
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
    child = fork();
    if (child == 0) {
        arguments = (struct clone_args){.flags = CLONE_PARENT};
        pid_t sibling = clone3(&arguments);
        if (sibling == 0)
            _exit(8);
        int none;
        _exit(waitpid(sibling, &none, 0) == -1 && errno == ECHILD ? 7 : 9);
    }
    int sum = 0;
    for (int i = 0; i < 2; i++) {
        CHECK(wait(&status) > 0);
        sum += WEXITSTATUS(status);
    }
    SHOW(sum);
}

int main(void) {
    chosen();
    cleared();
    bad();
    family();
    return 0;
}
