/* Delivery to a handler: the number, the mask during it, nesting, the old action. */
#include "guest.h"

static void show_mask(void) {
    sigset_t mask;
    sigprocmask(0, NULL, &mask);
    printf("blocked:");
    for (int i = 1; i < 32; i++)
        if (sigismember(&mask, i))
            printf(" %s", sigabbrev_np(i));
    printf("\n");
}

static void inner(int number) {
    printf("inner %s\n", sigabbrev_np(number));
}

static void outer(int number) {
    printf("outer %s\n", sigabbrev_np(number));
    show_mask();
    raise(SIGUSR1); /* blocked while its handler runs */
    raise(SIGUSR2); /* in sa_mask */
    raise(SIGHUP);  /* neither */
    puts("outer ends");
}

int main(void) {
    struct sigaction action = {.sa_handler = outer}, old;
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGUSR2);
    SHOW(sigaction(SIGUSR1, &action, NULL));
    struct sigaction other = {.sa_handler = inner};
    SHOW(sigaction(SIGUSR2, &other, NULL));
    SHOW(sigaction(SIGHUP, &other, NULL));
    static int times;
    show_mask();
    if (times++ == 0) {
        struct sigaction once = action;
        once.sa_flags = SA_RESETHAND;
        SHOW(sigaction(SIGUSR1, &once, &old));
        SHOW(old.sa_handler == outer && sigismember(&old.sa_mask, SIGUSR2));
    }
    signal(SIGUSR1, SIG_IGN);
    SHOW(raise(SIGUSR1));
    SHOW(sigaction(SIGUSR1, &other, &old));
    SHOW(old.sa_handler == SIG_IGN);
    SHOW(raise(SIGUSR1));
    action.sa_handler = outer;
    SHOW(sigaction(SIGTERM, &action, NULL));
    other.sa_flags = 0;
    SHOW(raise(SIGTERM));
    show_mask();
    SHOW(sigaction(SIGKILL, &other, NULL));
    SHOW(sigaction(SIGSTOP, &other, NULL));
    SHOW(sigaction(65, &other, NULL));
    SHOW(sigaction(0, &other, NULL));
    SHOW(raise(65));
    SHOW(kill(getpid(), 0));
    SHOW(kill(getpid(), 65));
    return 0;
}
