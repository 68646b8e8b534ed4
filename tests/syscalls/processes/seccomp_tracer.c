/* PTRACE_EVENT_SECCOMP: at that stop the tracer may give the call other arguments. */
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>

static void traced(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 7),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    raise(SIGSTOP);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    SHOW_OK(syscall(SYS_dup, 99));
    SHOW_OK(syscall(SYS_dup, 1));
    _exit(0);
}

int main(void) {
    int status;
    unsigned long message;
    struct user_regs_struct registers;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        traced();
    CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP) == 0);
    for (int argument = 1; argument <= 100; argument += 99) {
        CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        SHOW(status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8));
        CHECK(ptrace(PTRACE_GETEVENTMSG, child, 0, &message) == 0);
        SHOW(message);
        CHECK(ptrace(PTRACE_GETREGS, child, 0, &registers) == 0);
        registers.rdi = argument;
        CHECK(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
    }
    CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
    wait_and_show("child", child);
    return 0;
}
