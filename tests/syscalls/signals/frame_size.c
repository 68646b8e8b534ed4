/* A frame fits on SIGSTKSZ bytes; SA_RESETHAND takes the handler only; how large the state is. */
#include "guest.h"
#include <ucontext.h>

static char *stack;

static void handler(int number UNUSED, siginfo_t *info UNUSED, void *context) {
    struct _libc_fpstate *state = ((ucontext_t *)context)->uc_mcontext.fpregs;
    uint32_t *software = (uint32_t *)((char *)state + 464);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    SHOW(now.sa_handler == SIG_DFL);
    SHOW(now.sa_flags & SA_SIGINFO);
    SHOW((char *)&now > stack && (char *)&now < stack + 8192);
    SHOW(software[1] - software[4]);
    SHOW(software[4]);
    SHOW(software[2]);
}

int main(void) {
    stack = malloc(8192);
    stack_t alternate = {.ss_sp = stack, .ss_size = 8192};
    SHOW(sigaltstack(&alternate, NULL));
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_ONSTACK | SA_SIGINFO | SA_RESETHAND};
    SHOW(sigaction(SIGUSR1, &action, NULL));
    raise(SIGUSR1);
    return 0;
}
