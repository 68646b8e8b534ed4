/* Blocked signals wait, ordinary ones once, real-time ones queued and in order. */
#include "guest.h"

static void handler(int number, siginfo_t *info, void *context) {
    (void)context;
    if (number >= SIGRTMIN)
        printf("RT+%d value %d\n", number - SIGRTMIN, info->si_value.sival_int);
    else
        printf("%s\n", sigabbrev_np(number));
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t all, pending, none;
    sigfillset(&action.sa_mask);
    sigfillset(&all);
    sigemptyset(&none);
    int numbers[] = {SIGUSR1, SIGUSR2, SIGRTMIN, SIGRTMIN + 1};
    for (int i = 0; i < 4; i++)
        CHECK(sigaction(numbers[i], &action, NULL) == 0);
    SHOW(sigprocmask(SIG_BLOCK, &all, NULL));
    for (int i = 0; i < 3; i++) {
        CHECK(raise(SIGUSR2) == 0);
        CHECK(raise(SIGUSR1) == 0);
        CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}) == 0);
        CHECK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 10 + i}) == 0);
    }
    SHOW(sigpending(&pending));
    SHOW(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGRTMIN));
    SHOW(sigismember(&pending, SIGHUP));
    SHOW(sigprocmask(SIG_SETMASK, &none, NULL));
    SHOW(sigpending(&pending));
    SHOW(sigismember(&pending, SIGUSR1));
    SHOW(sigprocmask(77, &none, NULL));
    SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &none, NULL, 4));
    sigset_t kill_set;
    sigemptyset(&kill_set);
    sigaddset(&kill_set, SIGKILL);
    sigaddset(&kill_set, SIGUSR1);
    SHOW(sigprocmask(SIG_SETMASK, &kill_set, NULL));
    SHOW(sigprocmask(0, NULL, &pending));
    SHOW(sigismember(&pending, SIGKILL));
    SHOW(sigismember(&pending, SIGUSR1));
    /* what is ignored while blocked is forgotten when it is set to be ignored */
    CHECK(raise(SIGUSR1) == 0);
    signal(SIGUSR1, SIG_IGN);
    SHOW(sigpending(&pending));
    SHOW(sigismember(&pending, SIGUSR1));
    pid_t child = fork(); /* nothing pending is inherited, the mask is */
    if (child == 0) {
        sigprocmask(0, NULL, &pending);
        SHOW(sigismember(&pending, SIGUSR1));
        _exit(0);
    }
    wait_and_show("child", child);
    return 0;
}
