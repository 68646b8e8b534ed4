/* PR_SET_SYSCALL_USER_DISPATCH: a program's own calls come to it as SIGSYS. */
#include "guest.h"
#include <sys/prctl.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

static volatile char selector;
static volatile int caught, code, number;
static volatile unsigned arch;
static volatile unsigned long address, result_register;

static void handler(int signal, siginfo_t *info, void *context) {
    ucontext_t *machine = context;
    (void)signal;
    selector = 0;
    caught++;
    code = info->si_code;
    number = info->si_syscall;
    arch = info->si_arch;
    address = (unsigned long)info->si_call_addr - machine->uc_mcontext.gregs[16];
    result_register = machine->uc_mcontext.gregs[13];
    machine->uc_mcontext.gregs[13] = 4321;
}

static long dispatch(long mode, unsigned long start, unsigned long size, volatile char *byte) {
    return syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, mode, start, size, byte);
}

static void arguments(void) {
    SHOW(dispatch(0, 0, 0, NULL));
    SHOW(dispatch(0, 1, 0, NULL));
    SHOW(dispatch(0, 0, 0, &selector));
    SHOW(dispatch(3, 0, 0, &selector));
    SHOW(dispatch(-1, 0, 0, &selector));
    SHOW(dispatch(1, 4096, 0, &selector));
    SHOW(dispatch(1, 4096, -1UL, &selector));
    SHOW(dispatch(1, 0, -1UL, (char *)-1));
}

static void blocked(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGSYS, &action, NULL) == 0);
    SHOW(dispatch(1, 0, 0, &selector));
    selector = 1;
    long result = syscall(SYS_getpgid, -5);
    SHOW(result);
    printf("caught %d, code %d, number %d, arch %x, address %lu, register %lu\n", caught, code,
           number, arch, address, result_register);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        selector = 1; /* a child is not concerned */
        _exit(getppid() > 0 ? 5 : 6);
    }
    wait_and_show("child", child);
    SHOW(dispatch(0, 0, 0, NULL));
    selector = 1;
    SHOW(syscall(SYS_getpgid, -5));
}

static void bad_selector(void) {
    dispatch(1, 0, 0, &selector);
    selector = 7;
    syscall(SYS_getpgid, 0);
}

static void no_selector_memory(void) {
    dispatch(1, 0, 0, (char *)4096);
    syscall(SYS_getpgid, 0);
}

static void own_code_only(void) {
    /* All memory but the first page is the dispatcher's: nothing is blocked. */
    selector = 1;
    dispatch(1, 4096, ~0UL - 8192, &selector);
    SHOW(syscall(SYS_getpgid, -5));
}

static void in_child(const char *what, void (*function)(void)) {
    printf("-- %s\n", what);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        function();
        fflush(stdout);
        _exit(0);
    }
    wait_and_show(what, child);
}

int main(void) {
    in_child("arguments", arguments);
    in_child("blocked", blocked);
    in_child("bad selector", bad_selector);
    in_child("no selector", no_selector_memory);
    in_child("own code", own_code_only);
    return 0;
}
