/* Rounds of a tracer that makes random ptrace(2) requests of a child that forks, steps into
 * breakpoints, raises signals and has filters. argv: SEED ROUNDS; prints "finished".
 */
#include "random_call.h"

#include <elf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

enum { CALLS = 100, REQUESTS = 80, PATIENCE = 500 };

static void nothing(int number) { (void)number; }

static void install_filter(void) {
    unsigned answer = below(2) ? SECCOMP_RET_TRACE : SECCOMP_RET_TRAP;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (unsigned)below(400), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer | (unsigned)below(65536)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void traced(uint64_t seed) {
    struct timespec moment = {0, 100000};
    state = seed;
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, nothing);
    raise(SIGSTOP);
    if (below(2))
        install_filter();
    for (int i = 0; i < CALLS; i++)
        switch (below(5)) {
        case 0: getppid(); break;
        case 1: raise(below(32)); break;
        case 2:
            if (fork() == 0)
                _exit(0);
            break;
        case 3: nanosleep(&moment, NULL); break;
        default: __asm__ volatile("int3"); break;
        }
    _exit(0);
}

static void request(pid_t child) {
    static const int requests[] = {
        PTRACE_PEEKTEXT, PTRACE_PEEKUSER, PTRACE_POKETEXT, PTRACE_POKEUSER, PTRACE_CONT,
        PTRACE_SINGLESTEP, PTRACE_GETREGS, PTRACE_SETREGS, PTRACE_GETFPREGS, PTRACE_SETFPREGS,
        PTRACE_ATTACH, PTRACE_DETACH, PTRACE_SYSCALL, PTRACE_CONT, PTRACE_SYSCALL, 31, 32,
        PTRACE_SETOPTIONS, PTRACE_GETEVENTMSG, PTRACE_GETSIGINFO, PTRACE_SETSIGINFO,
        PTRACE_GETREGSET, PTRACE_SETREGSET, PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_LISTEN,
        PTRACE_PEEKSIGINFO, PTRACE_GETSIGMASK, PTRACE_SETSIGMASK, 0x420c, 0x420d, 0x420e, 0x420f,
    };
    struct iovec set = {arena, below(4096)};
    int number = requests[below(sizeof requests / sizeof *requests)];
    uint64_t address = argument(), data = argument();
    fill();
    if (number == PTRACE_SETREGS) {
        ptrace(PTRACE_GETREGS, child, 0, arena);
        ((uint64_t *)arena)[below(27)] = argument();
    }
    if (number == PTRACE_GETREGSET || number == PTRACE_SETREGSET) {
        address = ONE_OF(NT_PRSTATUS, NT_PRFPREG, 0x202);
        data = (uint64_t)&set;
    } else if (number == PTRACE_PEEKUSER || number == PTRACE_POKEUSER) {
        address = below(120) * 8;
    } else if (number == PTRACE_SETOPTIONS) {
        data = below(0x100) | ONE_OF(0, 0x100000, 0x200000);
    } else if (number < 0x4200 && number != PTRACE_SETREGS && number != PTRACE_SETFPREGS) {
        data = below(70);
    } else {
        data = (uint64_t)arena;
    }
    syscall(SYS_ptrace, number, child, address, data);
}

static void play(uint64_t seed) {
    int status;
    pid_t child = fork();
    if (child == 0)
        traced(seed);
    state = seed + 1;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, 0, below(0x100));
    for (int i = 0; i < REQUESTS; i++) {
        request(child);
        if (waitpid(child, &status, WNOHANG | __WALL) == child && !WIFSTOPPED(status))
            break;
        if (i % 8 == 0)
            usleep(100);
    }
    kill(child, SIGKILL);
    for (int i = 0; i < PATIENCE && waitpid(-1, &status, __WALL | WNOHANG) >= 0; i++)
        usleep(200);
}

int main(int count, char **values) {
    uint64_t seed = count > 2 ? strtoull(values[1], NULL, 10) : 1;
    int rounds = count > 2 ? atoi(values[2]) : 1;
    make_memory();
    for (int round = 0; round < rounds; round++)
        play(seed + round * 0x1000);
    puts("finished");
    return 0;
}
