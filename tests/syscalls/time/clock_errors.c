/* What clocks cannot do: be set, be slept on, be those of nobody. */
// guest: cflags = -pthread
#include "guest.h"

#include <sys/resource.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

static void cpu_clocks(void) {
    clockid_t clock;
    struct timespec time, little = {0, 20000000};
    pid_t child = fork();
    if (child == 0)
        for (;;)
            getppid();
    CHECK(clock_getcpuclockid(child, &clock) == 0);
    do
        CHECK(clock_gettime(clock, &time) == 0);
    while (time.tv_sec == 0 && time.tv_nsec < 1000000);
    SHOW(clock_nanosleep(clock, 0, &little, NULL));
    SHOW(clock_settime(clock, &time));
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    SHOW(clock_gettime(clock, &time));
    SHOW(clock_settime(clock, &time));
    SHOW(clock_getcpuclockid(99999999, &clock));
    CHECK(pthread_getcpuclockid(pthread_self(), &clock) == 0);
    SHOW(clock_gettime(clock, &time));
    SHOW(clock_nanosleep(clock, 0, &little, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &little, NULL));
    SHOW(clock_gettime(99, &time));
    SHOW(clock_gettime(-4, &time));
    SHOW(clock_getres(99, &time));
}

static void interval_timers(void) {
    struct itimerval large = {{0, 1000000}, {0, 0}}, negative = {{0, 0}, {-1, 0}};
    SHOW(setitimer(ITIMER_REAL, &large, NULL));
    SHOW(setitimer(ITIMER_PROF, &negative, NULL));
    SHOW(setitimer(3, &large, NULL));
    SHOW(getitimer(-1, &large));
    SHOW(alarm(100));
    SHOW(alarm(0));
}

static void timer_files(void) {
    int fd = timerfd_create(CLOCK_REALTIME, 0);
    struct itimerspec setting = {.it_value = {100, 0}};
    SHOW(timerfd_settime(fd, TFD_TIMER_CANCEL_ON_SET, &setting, NULL));
    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &setting, NULL));
    SHOW(timerfd_settime(fd, 8, &setting, NULL));
    setting.it_value.tv_nsec = 1000000000;
    SHOW(timerfd_settime(fd, 0, &setting, NULL));
    SHOW(timerfd_create(CLOCK_TAI, 0));
    SHOW(timerfd_create(CLOCK_REALTIME, 1));
}

static void setting_the_time(void) {
    struct timespec time = {1, 0}, bad = {1, -1};
    struct timeval bad_value = {1, 1000000};
    struct timex adjustment = {.modes = 0};
    SHOW(adjtimex(&adjustment) >= 0);
    adjustment.modes = ADJ_OFFSET;
    SHOW(adjtimex(&adjustment));
    SHOW(clock_settime(CLOCK_REALTIME, &time));
    SHOW(clock_settime(CLOCK_REALTIME, &bad));
    SHOW(clock_settime(CLOCK_MONOTONIC, &time));
    SHOW(clock_settime(CLOCK_PROCESS_CPUTIME_ID, &time));
    SHOW(settimeofday(&bad_value, NULL));
}

static void usage(void) {
    struct rusage used;
    SHOW(getrusage(RUSAGE_SELF, &used));
    printf("%d %d %d\n", used.ru_minflt > 0, used.ru_maxrss > 0, used.ru_nvcsw > 0);
    SHOW(getrusage(RUSAGE_CHILDREN, &used));
    printf("%d %d\n", used.ru_minflt > 0, used.ru_maxrss > 0);
    SHOW(getrusage(RUSAGE_THREAD, &used));
    SHOW(getrusage(7, &used));
}

int main(void) {
    become_nobody();
    cpu_clocks();
    interval_timers();
    timer_files();
    setting_the_time();
    usage();
    return 0;
}
