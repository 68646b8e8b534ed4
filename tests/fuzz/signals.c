/* Rounds of random signals: alternate stacks that are none, handlers that spoil their frames, siginfo
 * made up, filters with a supervisor that answers at random. argv: SEED ROUNDS.
 *
 * Each round is a process of its own, which may die of it; then "finished" is printed.
 */
#include "random_call.h"

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <ucontext.h>

enum { CALLS = 120, PATIENCE = 500 };

static char stack[65536];

static void handler(int number, siginfo_t *info, void *context) {
    uint64_t *words = context;
    (void)number, (void)info;
    if (below(3) == 0)
        for (uint64_t count = 1 + below(4); count; count--)
            words[below(sizeof(ucontext_t) / 8)] = argument();
}

static void take_signals(void) {
    struct sigaction action = {.sa_sigaction = handler};
    action.sa_flags = SA_SIGINFO | (below(2) ? SA_ONSTACK : 0) | (below(2) ? SA_NODEFER : 0);
    for (int number = 1; number <= SIGRTMAX; number++)
        sigaction(number, &action, NULL);
}

static int listener(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | (below(2) ? 32 : 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (fork() == 0) {
        for (int i = 0; i < 5; i++)
            syscall(SYS_getppid);
        _exit(0);
    }
    return fd;
}

static void supervise(int fd) {
    if (below(2))
        memset(arena, 0, 80);
    uint64_t request = ONE_OF(SECCOMP_IOCTL_NOTIF_SEND, SECCOMP_IOCTL_NOTIF_ID_VALID,
                              SECCOMP_IOCTL_NOTIF_ADDFD, 0x40082104, 0x80082102);
    ioctl(fd, request, below(3) ? (uint64_t)arena : argument());
}

static void change_stack(void) {
    stack_t next = {stack, below(2) ? (int)0x80000000 : (int)below(5), sizeof stack};
    if (below(3) == 0)
        next.ss_size = argument();
    if (below(4) == 0)
        next.ss_sp = (void *)argument();
    sigaltstack(&next, NULL);
}

static void signal_call(int fd) {
    uint64_t number = 1 + below(64);
    fill();
    switch (below(10)) {
    case 0: case 1: change_stack(); break;
    case 2: case 3: raise(number); break;
    case 4: syscall(SYS_rt_sigqueueinfo, getpid(), number, arena + below(64) * 8); break;
    case 5: syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, arena); break;
    case 6: syscall(SYS_rt_sigprocmask, below(4), arena + below(64) * 8, arena, 8); break;
    case 7: syscall(SYS_signalfd4, -1, arena, 8, 0); break;
    case 8: supervise(fd); break;
    default: syscall(SYS_prctl, below(80), argument(), argument(), argument(), argument()); break;
    }
}

static void play(uint64_t seed) {
    state = seed;
    setpgid(0, 0);
    make_memory();
    take_signals();
    int fd = below(2) ? listener() : -1;
    for (int i = 0; i < CALLS; i++)
        signal_call(fd);
    _exit(0);
}

int main(int count, char **values) {
    uint64_t seed = count > 2 ? strtoull(values[1], NULL, 10) : 1;
    int status, rounds = count > 2 ? atoi(values[2]) : 1;
    for (int round = 0; round < rounds; round++) {
        pid_t child = fork();
        if (child == 0)
            play(seed + round * 0x1000);
        for (int turn = 0; turn < PATIENCE && waitpid(child, &status, WNOHANG) == 0; turn++)
            usleep(1000);
        kill(-child, SIGKILL);
        kill(child, SIGKILL);
        while (waitpid(-1, &status, __WALL | WNOHANG) > 0)
            ;
    }
    puts("finished");
    return 0;
}
