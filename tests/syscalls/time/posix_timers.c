/* timer_create(2) and its family: notifications, overruns, absolute times, errors, inheritance. */
#include "guest.h"
#include <sys/resource.h>

#define MILLISECOND 1000000L

static sigset_t waited;

static void settle(timer_t timer, long value, long interval) {
    struct itimerspec spec = {{0, interval}, {0, value}};
    CHECK(timer_settime(timer, 0, &spec, NULL) == 0);
}

static siginfo_t wait_for(int number) {
    siginfo_t info;
    struct timespec timeout = {5, 0};
    int got = sigtimedwait(&waited, &info, &timeout);
    if (got != number)
        printf("got %d for %d\n", got, number);
    return info;
}

static void overruns(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 77;
    timer_t timer;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    settle(timer, MILLISECOND, MILLISECOND);
    usleep(30000);
    siginfo_t info = wait_for(SIGUSR1);
    SHOW(info.si_code == SI_TIMER);
    SHOW(info.si_value.sival_int);
    SHOW(info.si_overrun >= 10);
    settle(timer, 0, 0);
    SHOW(timer_getoverrun(timer) >= 0);
    SHOW(timer_delete(timer));
    SHOW(timer_delete(timer));
    struct timespec none = {0, 0};
    sigtimedwait(&waited, NULL, &none);
}

static void defaults(void) {
    timer_t timer;
    SHOW(timer_create(CLOCK_REALTIME, NULL, &timer));
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct itimerspec spec = {{0, 0}, {now.tv_sec - 5, 0}};
    SHOW(timer_settime(timer, TIMER_ABSTIME, &spec, NULL));
    siginfo_t info = wait_for(SIGALRM);
    SHOW(info.si_signo == SIGALRM && info.si_overrun == 0);
    SHOW(timer_delete(timer));
}

static void silent(void) {
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    timer_t timer;
    SHOW(timer_create(CLOCK_BOOTTIME, &event, &timer));
    struct itimerspec spec = {{3, 0}, {100, 0}}, old;
    SHOW(timer_settime(timer, 0, &spec, NULL));
    SHOW(timer_gettime(timer, &old));
    SHOW(old.it_value.tv_sec);
    SHOW(old.it_interval.tv_sec);
    struct itimerspec off = {0};
    SHOW(timer_settime(timer, 0, &off, &old));
    SHOW(old.it_value.tv_sec);
    SHOW(timer_delete(timer));
}

static void *thread(void *argument) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    timer_t timer;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    settle(timer, MILLISECOND, 0);
    wait_for(SIGUSR2);
    SHOW(timer_delete(timer));
    return argument;
}

static void errors(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
    timer_t timer;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    event.sigev_signo = SIGUSR1;
    SHOW(timer_create(77, &event, &timer));
    SHOW(timer_create(CLOCK_MONOTONIC_RAW, &event, &timer));
    event.sigev_notify = SIGEV_THREAD_ID;
    event._sigev_un._tid = 1 << 22;
    SHOW(timer_create(CLOCK_MONOTONIC, &event, &timer));
    SHOW(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &timer));
    SHOW(syscall(SYS_timer_settime, 12345, 0, &(struct itimerspec){0}, NULL));
    SHOW(timer_create(CLOCK_MONOTONIC, NULL, &timer));
    SHOW(syscall(SYS_timer_settime, timer, 0, NULL, NULL));
    struct itimerspec bad = {{0, 0}, {0, 1000000000}};
    SHOW(timer_settime(timer, 0, &bad, NULL));
    settle(timer, 999999999, 0);
    pid_t child = fork();
    if (child == 0)
        _exit(timer_gettime(timer, &bad) == -1 && errno == EINVAL);
    wait_and_show("in the child", child);
}

int main(void) {
    sigfillset(&waited);
    sigprocmask(SIG_BLOCK, &waited, NULL);
    overruns();
    defaults();
    silent();
    pthread_t other;
    CHECK(pthread_create(&other, NULL, thread, NULL) == 0);
    CHECK(pthread_join(other, NULL) == 0);
    errors();
    return 0;
}
