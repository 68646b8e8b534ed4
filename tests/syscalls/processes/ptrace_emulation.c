/* PTRACE_SYSEMU: calls are left to the tracer, and not executed; steps across calls. */
#include "guest.h"
#include <sys/ptrace.h>
#include <sys/user.h>

static void traced(void) {
    CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    raise(SIGSTOP);
    long first = syscall(SYS_getpgid, 99999999);
    long second = syscall(SYS_getpgid, 99999999) == -1 ? -errno : 0;
    _exit(first == 42 ? 10 - second : 1);
}

static struct user_regs_struct registers_at_stop(pid_t child, int expected) {
    int status;
    struct user_regs_struct registers;
    CHECK(waitpid(child, &status, 0) == child);
    if (status >> 8 != expected)
        printf("stop %x\n", status >> 8);
    CHECK(ptrace(PTRACE_GETREGS, child, 0, &registers) == 0);
    return registers;
}

/* Run until getpgid, by the request. */
static struct user_regs_struct run_until_call(pid_t child, int request) {
    struct user_regs_struct registers;
    do {
        CHECK(ptrace(request, child, 0, 0) == 0);
        registers = registers_at_stop(child, SIGTRAP | 0x80);
    } while (registers.orig_rax != SYS_getpgid);
    return registers;
}

int main(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        traced();
    registers_at_stop(child, SIGSTOP);
    CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD) == 0);
    struct user_regs_struct registers = run_until_call(child, PTRACE_SYSEMU);
    SHOW((long)registers.rax);
    registers.rax = 42;
    CHECK(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
    /* The call is not executed; the next stop is the next entry. */
    registers = run_until_call(child, PTRACE_SYSEMU);
    SHOW((long)registers.rax);
    SHOW(ptrace(PTRACE_SYSCALL, child, 0, 0));
    registers = registers_at_stop(child, SIGTRAP | 0x80);
    SHOW((long)registers.rax); /* its exit stop: not executed either */
    registers.rax = -EXDEV;
    CHECK(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    wait_and_show("child", child);

    /* Steps: across a call, and up to one that is emulated. */
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
        traced();
    registers_at_stop(child, SIGSTOP);
    CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD) == 0);
    registers = run_until_call(child, PTRACE_SYSCALL);
    unsigned long after_call = registers.rip;
    CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
    registers = registers_at_stop(child, SIGTRAP | 0x80);
    SHOW((long)registers.rax);
    int status, steps = 0;
    registers.rax = 42;
    CHECK(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
    do {
        CHECK(ptrace(PTRACE_SYSEMU_SINGLESTEP, child, 0, 0) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        steps++;
    } while (status >> 8 == SIGTRAP);
    printf("after several steps %d: stop %x\n", steps > 3, status >> 8);
    CHECK(ptrace(PTRACE_GETREGS, child, 0, &registers) == 0);
    SHOW(registers.rip == after_call);
    SHOW(registers.orig_rax == SYS_getpgid);
    SHOW(ptrace(PTRACE_SINGLESTEP, child, 0, 0));
    registers = registers_at_stop(child, SIGTRAP);
    SHOW(registers.rip - after_call < 16);
    SHOW((long)registers.rax);
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    wait_and_show("child", child);
    return 0;
}
