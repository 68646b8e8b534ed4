/* sigaltstack(2): the handler runs there, also after the normal stack overflowed. */
#include "guest.h"
#include <setjmp.h>

static char stack_memory[1 << 16];
static sigjmp_buf recovered;

static void handler(int number) {
    char here;
    stack_t now;
    sigaltstack(NULL, &now);
    printf("%s on the %s stack, SS_ONSTACK %d\n", sigabbrev_np(number),
           &here >= stack_memory && &here < stack_memory + sizeof stack_memory ? "other" : "normal",
           (now.ss_flags & SS_ONSTACK) != 0);
    stack_t none = {.ss_flags = SS_DISABLE};
    SHOW(sigaltstack(&none, NULL));
    if (number == SIGSEGV)
        siglongjmp(recovered, 1);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int overflow(int depth) {
    volatile char large[4096];
    large[0] = depth;
    return overflow(depth + 1) + large[0];
}

int main(void) {
    stack_t stack = {.ss_sp = stack_memory, .ss_size = sizeof stack_memory}, old;
    SHOW(sigaltstack(NULL, &old));
    SHOW(old.ss_flags == SS_DISABLE);
    SHOW(sigaltstack(&stack, NULL));
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    SHOW(raise(SIGUSR1));
    if (sigsetjmp(recovered, 1) == 0)
        overflow(0);
    puts("recovered");
    stack.ss_size = 100;
    SHOW(sigaltstack(&stack, NULL));
    stack.ss_size = sizeof stack_memory;
    stack.ss_flags = 0x40;
    SHOW(sigaltstack(&stack, NULL));
    stack.ss_flags = SS_DISABLE;
    SHOW(sigaltstack(&stack, NULL));
    SHOW(raise(SIGUSR1));
    return 0;
}
