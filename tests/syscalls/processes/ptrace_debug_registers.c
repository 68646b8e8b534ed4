/* Hardware breakpoints and watchpoints: the debug registers at u_debugreg of struct user. */
#include "guest.h"
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

static volatile long watched, other;

__attribute__((noinline)) static void landmark(void) { __asm__ volatile("nop"); }

static void traced(void) {
    CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    raise(SIGSTOP);
    other = 1;
    watched = 2;
    landmark();
    other = watched;
    watched = 3;
    pid_t child = fork();
    if (child == 0) {
        watched = 4; /* nobody traces it: a child has no breakpoints */
        _exit(5);
    }
    int status;
    waitpid(child, &status, 0);
    char *const arguments[] = {"self", "again", NULL};
    execv("/proc/self/exe", arguments);
    _exit(9);
}

static long set_register(pid_t child, int number, unsigned long value) {
    return ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[number]), value);
}

static long get_register(pid_t child, int number) {
    errno = 0;
    return ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, u_debugreg[number]), 0);
}

static void show_stop(pid_t child) {
    int status;
    siginfo_t info;
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFSTOPPED(status)) {
        show_status("child", status);
        return;
    }
    CHECK(ptrace(PTRACE_GETSIGINFO, child, 0, &info) == 0);
    struct user_regs_struct registers;
    CHECK(ptrace(PTRACE_GETREGS, child, 0, &registers) == 0);
    long value = ptrace(PTRACE_PEEKDATA, child, &watched, 0);
    printf("stop %x, code %d, at landmark %d, at its address %d, watched %ld, hit %lx\n",
           status >> 8, info.si_code, registers.rip == (unsigned long)landmark,
           (unsigned long)info.si_addr == registers.rip, value, get_register(child, 6) & 0xf);
}

int main(int count, char **arguments) {
    if (count > 1) {
        watched = 7;
        printf("%s: no breakpoint left\n", arguments[1]);
        return 0;
    }
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        traced();
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    SHOW(get_register(child, 0));
    SHOW(get_register(child, 4));
    SHOW(get_register(child, 7));
    SHOW(set_register(child, 0, 0xffff800000000000));
    SHOW(set_register(child, 0, 0xffffffffffffffff));
    SHOW(set_register(child, 0, 1));
    SHOW(set_register(child, 7, 1));
    SHOW(get_register(child, 0));
    SHOW(set_register(child, 7, 0));
    SHOW(set_register(child, 4, 1));
    SHOW(set_register(child, 5, 0));
    SHOW(ptrace(PTRACE_POKEUSER, child, offsetof(struct user, start_code), 1));
    SHOW(ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, start_code), 0));
    SHOW(ptrace(PTRACE_PEEKUSER, child, sizeof(struct user), 0));
    SHOW(ptrace(PTRACE_PEEKUSER, child, 3, 0));
    /* Writes of eight bytes, and the execution of an instruction. */
    SHOW(set_register(child, 0, (unsigned long)&watched));
    SHOW(set_register(child, 1, (unsigned long)landmark));
    SHOW(set_register(child, 7, 0x90101 | 4));
    SHOW(get_register(child, 0) == (long)&watched);
    for (int turn = 0; turn < 3; turn++) {
        SHOW(ptrace(PTRACE_CONT, child, 0, 0));
        show_stop(child);
        CHECK(set_register(child, 6, 0) == 0);
    }
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    show_stop(child); /* its child ended */
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    show_stop(child); /* the new program */
    SHOW(get_register(child, 0));
    SHOW(get_register(child, 7));
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    show_stop(child);
    return 0;
}
