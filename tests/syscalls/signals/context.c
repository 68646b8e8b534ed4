/* A handler may change the interrupted context: the program goes on with the new registers. */
#include "guest.h"
#include <ucontext.h>

static void skips(int number, siginfo_t *info, void *context) {
    (void)info;
    ucontext_t *interrupted = context;
    printf("%s, trap %lld\n", sigabbrev_np(number),
           (long long)interrupted->uc_mcontext.gregs[REG_TRAPNO]);
    interrupted->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 is two bytes */
    interrupted->uc_mcontext.gregs[REG_RBX] = 0x1234;
    sigaddset(&interrupted->uc_sigmask, SIGHUP);
}

int main(void) {
    struct sigaction action = {.sa_sigaction = skips, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGILL, &action, NULL) == 0);
    long value = 1;
    __asm__ volatile("ud2" : "+b"(value) : : "memory");
    printf("rbx %lx\n", value);
    sigset_t mask;
    sigprocmask(0, NULL, &mask);
    SHOW(sigismember(&mask, SIGHUP));
    SHOW(sigismember(&mask, SIGILL));
    return 0;
}
