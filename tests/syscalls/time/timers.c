/* setitimer(2), alarm(2), timer_create(2): expiry, repetition, what is left, disarming. */
#include "guest.h"

static volatile sig_atomic_t ticks;
static volatile int value;

static void handler(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    ticks++;
    value = info->si_code == SI_TIMER ? info->si_value.sival_int : 0;
}

static void wait_for(int count) {
    while (ticks < count)
        pause();
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(sigaction(SIGVTALRM, &action, NULL) == 0);
    SHOW(alarm(100));
    SHOW(alarm(200));
    struct itimerval timer = {{0, 10000}, {0, 10000}}, old;
    SHOW(setitimer(ITIMER_REAL, &timer, &old));
    SHOW(old.it_value.tv_sec >= 198);
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    while (ticks < 3) {
        sigprocmask(SIG_BLOCK, &block, &before);
        if (ticks < 3)
            sigsuspend(&before);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    struct itimerval off = {0};
    SHOW(setitimer(ITIMER_REAL, &off, NULL));
    SHOW(getitimer(ITIMER_REAL, &old));
    SHOW(old.it_value.tv_usec);
    SHOW(setitimer(77, &off, NULL));
    timer.it_value.tv_usec = 1000000;
    SHOW(setitimer(ITIMER_REAL, &timer, NULL));
    ticks = 0;
    struct itimerval once = {{0, 0}, {0, 20000}};
    SHOW(setitimer(ITIMER_VIRTUAL, &once, NULL));
    while (ticks == 0) /* counts the time that we compute */
        continue;
    puts("virtual");
    timer_t id;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 77;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &id));
    struct itimerspec spec = {{0, 0}, {0, 10000000}}, left;
    ticks = 0;
    SHOW(timer_settime(id, 0, &spec, NULL));
    wait_for(1);
    SHOW(value);
    SHOW(timer_gettime(id, &left));
    SHOW(left.it_value.tv_nsec);
    SHOW(timer_getoverrun(id));
    SHOW(timer_delete(id));
    SHOW(syscall(SYS_timer_delete, 77));
    SHOW(timer_create(77, &event, &id));
    pid_t child = fork(); /* timers are not inherited by fork */
    if (child == 0)
        _exit(alarm(0));
    wait_and_show("child", child);
    return 0;
}
