/* Clocks of processor time, and what runs on them: sleeping, timers, RLIMIT_CPU. */
// guest: timeout = 40
#include "guest.h"
#include <sys/resource.h>

static volatile sig_atomic_t received[65];

static void handler(int number) {
    received[number]++;
}

static int64_t now(clockid_t clock) {
    struct timespec value;
    CHECK(clock_gettime(clock, &value) == 0);
    return value.tv_sec * 1000000000LL + value.tv_nsec;
}

/* Compute until the clock has advanced, looking at it rarely: a look is a system call. */
static void burn(int64_t nanoseconds) {
    int64_t end = now(CLOCK_THREAD_CPUTIME_ID) + nanoseconds;
    while (now(CLOCK_THREAD_CPUTIME_ID) < end)
        for (volatile int i = 0; i < 3000000; i++)
            continue;
}

static void *thread(void *argument) {
    burn(60000000);
    clockid_t clock;
    CHECK(pthread_getcpuclockid(pthread_self(), &clock) == 0);
    *(int64_t *)argument = now(clock);
    return NULL;
}

static void threads(void) {
    int64_t used = 0, before = now(CLOCK_THREAD_CPUTIME_ID);
    pthread_t other;
    CHECK(pthread_create(&other, NULL, thread, &used) == 0);
    CHECK(pthread_join(other, NULL) == 0);
    SHOW(used >= 60000000);
    SHOW(now(CLOCK_THREAD_CPUTIME_ID) - before < 30000000);
    SHOW(now(CLOCK_PROCESS_CPUTIME_ID) >= used);
}

static void processes(void) {
    clockid_t clock;
    SHOW(clock_getcpuclockid(0, &clock));
    SHOW(clock_getcpuclockid(1 << 22, &clock) != 0);
    SHOW(clock_gettime(~(1 << 22) * 8 | 2, &(struct timespec){0}));
    pid_t child = fork();
    if (child == 0) {
        burn(30000000);
        pause();
    }
    CHECK(clock_getcpuclockid(child, &clock) == 0);
    while (now(clock) < 20000000)
        usleep(5000);
    kill(child, SIGKILL);
    wait_and_show("child", child);
    struct rusage usage;
    CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
    SHOW(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
             usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec >= 20000);
}

static void timers(void) {
    signal(SIGPROF, handler);
    signal(SIGUSR1, handler);
    struct itimerval every = {{0, 20000}, {0, 20000}}, off = {0};
    SHOW(setitimer(ITIMER_PROF, &every, NULL));
    while (received[SIGPROF] < 3)
        continue;
    SHOW(setitimer(ITIMER_PROF, &off, NULL));
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    timer_t timer;
    SHOW(timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer));
    struct itimerspec spec = {{0, 0}, {0, 50000000}};
    SHOW(timer_settime(timer, 0, &spec, NULL));
    usleep(80000);
    SHOW(received[SIGUSR1]);
    while (!received[SIGUSR1])
        continue;
    SHOW(timer_delete(timer));
    struct timespec duration = {0, 1000000};
    SHOW(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &duration, NULL));
}

static void limit(int soft, int hard) {
    pid_t child = fork();
    if (child == 0) {
        struct rlimit cpu = {soft, hard};
        CHECK(setrlimit(RLIMIT_CPU, &cpu) == 0);
        for (;;)
            continue;
    }
    wait_and_show("over the limit", child);
}

int main(void) {
    threads();
    processes();
    timers();
    limit(1, 5);
    return 0;
}
