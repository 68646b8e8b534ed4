/* A tracer sees its child's stops, changes a result, suppresses a signal, steps. */
#include "guest.h"
#include <sys/ptrace.h>
#include <sys/user.h>

static void traced(void) {
    CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    raise(SIGSTOP);
    int sevens = syscall(SYS_getppid) == 777;
    raise(SIGUSR1);
    _exit(sevens ? 7 : 1);
}

static void show_stop(pid_t child, int status, int *entries) {
    struct user_regs_struct registers;
    CHECK(ptrace(PTRACE_GETREGS, child, 0, &registers) == 0);
    if (status >> 8 != (SIGTRAP | 0x80)) {
        printf("signal stop %x\n", status >> 8);
        return;
    }
    int entry = (long)registers.rax == -ENOSYS;
    if (registers.orig_rax == SYS_getppid) {
        printf("getppid %s\n", entry ? "entry" : "exit");
        if (!entry) {
            registers.rax = 777;
            CHECK(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
        }
    }
    *entries += entry;
}

int main(void) {
    pid_t child = fork();
    if (child == 0)
        traced();
    int status, entries = 0;
    CHECK(waitpid(child, &status, 0) == child);
    printf("first stop %x\n", status >> 8);
    SHOW(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD));
    for (;;) {
        CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        if (!WIFSTOPPED(status))
            break;
        show_stop(child, status, &entries);
    }
    printf("status %x, several entries %d\n", status, entries > 3);
    SHOW(ptrace(PTRACE_PEEKDATA, child, 0, 0));

    child = fork();
    if (child == 0)
        traced();
    CHECK(waitpid(child, &status, 0) == child);
    struct user_regs_struct before, after;
    CHECK(ptrace(PTRACE_GETREGS, child, 0, &before) == 0);
    SHOW(ptrace(PTRACE_SINGLESTEP, child, 0, 0));
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(ptrace(PTRACE_GETREGS, child, 0, &after) == 0);
    printf("step: %x, moved %d, trap flag %d\n", status >> 8, before.rip != after.rip,
           !!(after.eflags & 0x100));
    SHOW(ptrace(PTRACE_KILL, child, 0, 0));
    CHECK(waitpid(child, &status, 0) == child);
    printf("status %x\n", status);
    return 0;
}
