/* Waits for centuries are waits like any other: a signal or a wake-up ends them. */
#include "guest.h"
#include <poll.h>

static void handler(int number) {
    printf("signal %d\n", number);
}

int main(void) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct timespec centuries = {9000000000, 0};
    sigset_t none;
    CHECK(sigemptyset(&none) == 0 && sigaddset(&none, SIGUSR1) == 0);
    CHECK(sigprocmask(SIG_BLOCK, &none, NULL) == 0);
    ualarm(20000, 0);
    SHOW(sigtimedwait(&none, NULL, &centuries));
    ualarm(20000, 0);
    SHOW(nanosleep(&centuries, NULL));
    ualarm(20000, 0);
    SHOW(ppoll(NULL, 0, &centuries, NULL));
    /* While another process runs, the host's timer is what waits. */
    pid_t child = fork();
    if (child == 0)
        for (;;)
            ;
    ualarm(50000, 0);
    SHOW(sigtimedwait(&none, NULL, &centuries));
    CHECK(kill(child, SIGKILL) == 0);
    wait_and_show("child", child);
    return 0;
}
