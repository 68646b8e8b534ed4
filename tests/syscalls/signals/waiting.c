/* sigsuspend(2), sigwait(3), sigtimedwait(2): which signal comes, and what else may come. */
#include "guest.h"

static void handler(int number) {
    printf("handler %s\n", sigabbrev_np(number));
}

static void later(pid_t whom, int number) {
    if (fork() == 0) {
        usleep(20000);
        kill(whom, number);
        _exit(0);
    }
}

int main(void) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
    sigset_t blocked, empty, now, only_two;
    sigemptyset(&empty);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGUSR2);
    sigemptyset(&only_two);
    sigaddset(&only_two, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
    CHECK(raise(SIGUSR1) == 0);
    puts("still blocked");
    SHOW(sigsuspend(&empty));
    later(getpid(), SIGUSR2);
    SHOW(sigsuspend(&empty));
    sigprocmask(0, NULL, &now);
    SHOW(sigismember(&now, SIGUSR1));
    struct timespec short_time = {0, 20000000}, zero = {0, 0}, bad = {0, 2000000000};
    siginfo_t info;
    SHOW(sigtimedwait(&blocked, &info, &zero));
    SHOW(sigtimedwait(&blocked, &info, &short_time));
    SHOW(sigtimedwait(&blocked, &info, &bad));
    CHECK(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 5}) == 0);
    SHOW(sigtimedwait(&blocked, &info, &short_time) == SIGUSR2);
    printf("value %d code %d\n", info.si_value.sival_int, info.si_code);
    later(getpid(), SIGUSR1);
    int number;
    SHOW(sigwait(&blocked, &number));
    SHOW(number == SIGUSR1);
    struct sigaction plain = {.sa_handler = handler};
    CHECK(sigaction(SIGHUP, &plain, NULL) == 0);
    later(getpid(), SIGHUP);
    SHOW(sigwaitinfo(&blocked, &info)); /* another signal's handler interrupts it */
    while (wait(NULL) > 0)
        continue;
    return 0;
}
