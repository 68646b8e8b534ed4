/* Filters judge again what a tracer made of a call; a call left out is judged as number -1. */
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>

/* dup: trace; dup2: errno EXDEV; -1: errno ELOOP. */
static void traced(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 7),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)-1, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ELOOP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {8, code};
    CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    raise(SIGSTOP);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    SHOW_OK(syscall(SYS_dup, 0));
    SHOW_OK(syscall(SYS_dup, 0));
    SHOW_OK(syscall(SYS_dup, 0));
    SHOW(syscall(SYS_dup, 0));
    raise(SIGSTOP);
    SHOW_OK(syscall(SYS_getppid));
    SHOW_OK(syscall(SYS_getppid));
    _exit(0);
}

static void stop_of(pid_t child, int expected) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    if (status >> 8 != expected)
        printf("another stop: %x\n", status);
}

static void change_call(pid_t child, long number, long result) {
    struct user_regs_struct registers;
    CHECK(ptrace(PTRACE_GETREGS, child, 0, &registers) == 0);
    registers.orig_rax = number;
    registers.rax = result;
    CHECK(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
}

int main(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        traced();
    stop_of(child, SIGSTOP);
    CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD) == 0);
    static const long calls[] = {SYS_dup2, SYS_dup, SYS_getppid, -1};
    for (int turn = 0; turn < 4; turn++) {
        CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
        stop_of(child, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
        change_call(child, calls[turn], 55);
    }
    CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
    stop_of(child, SIGSTOP);
    /* Left out at the entry stop: the filters see it afterwards. */
    for (int turn = 0; turn < 2; turn++) {
        struct user_regs_struct registers;
        do {
            CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
            stop_of(child, SIGTRAP | 0x80);
            CHECK(ptrace(PTRACE_GETREGS, child, 0, &registers) == 0);
        } while (registers.orig_rax != SYS_getppid);
        change_call(child, turn ? SYS_dup2 : -1, 66);
        CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
        stop_of(child, SIGTRAP | 0x80);
    }
    CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
    wait_and_show("child", child);
    return 0;
}
