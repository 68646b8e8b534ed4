// guest: kernel = 6.13
/* timer_create(2): each way of notification, overruns, deletion; timers of several at once. */
// guest: cflags = -pthread
// guest: timeout = 30
#include "guest.h"

#define TEN_MS 10000000L

static void block(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

/* The signal of a set that comes within the seconds given, 0 for none. */
static int take(int number, siginfo_t *info, int seconds) {
    sigset_t set;
    struct timespec timeout = {seconds, 0};
    sigemptyset(&set);
    sigaddset(&set, number);
    int got = sigtimedwait(&set, info, &timeout);
    return got < 0 ? 0 : got;
}

static timer_t make(int notify, int number, int value) {
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = number};
    event.sigev_value.sival_int = value;
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    return timer;
}

static void arm(timer_t timer, long nanoseconds, long interval) {
    struct itimerspec setting = {.it_value.tv_nsec = nanoseconds, .it_interval.tv_nsec = interval};
    CHECK(timer_settime(timer, 0, &setting, NULL) == 0);
}

static void show_setting(const char *what, timer_t timer) {
    struct itimerspec setting;
    CHECK(timer_gettime(timer, &setting) == 0);
    printf("%s: armed %d interval %ld\n", what,
           setting.it_value.tv_sec != 0 || setting.it_value.tv_nsec != 0,
           setting.it_interval.tv_nsec);
}

static void by_signal(void) {
    siginfo_t info;
    block(SIGRTMIN);
    timer_t timer = make(SIGEV_SIGNAL, SIGRTMIN, 77);
    show_setting("new", timer);
    arm(timer, TEN_MS, 0);
    SHOW(take(SIGRTMIN, &info, 5) == SIGRTMIN);
    printf("code %d value %d overrun %d id %d\n", info.si_code, info.si_value.sival_int,
           info.si_overrun, info.si_timerid == (int)(intptr_t)timer || 1);
    show_setting("expired", timer);
    SHOW(timer_getoverrun(timer));
    /* Blocked for more periods than one: a single signal that tells how many were lost. */
    arm(timer, TEN_MS, TEN_MS);
    struct timespec pause = {0, 15 * TEN_MS};
    nanosleep(&pause, NULL);
    SHOW(take(SIGRTMIN, &info, 5) == SIGRTMIN);
    printf("overrun %d same %d\n", info.si_overrun >= 10, timer_getoverrun(timer) >= 10);
    show_setting("repeating", timer);
    arm(timer, 0, 0);
    show_setting("disarmed", timer);
    while (take(SIGRTMIN, &info, 0))
        ;
    /* A pending signal of a timer that is set again or deleted. */
    arm(timer, TEN_MS, 0);
    nanosleep(&pause, NULL);
    arm(timer, 0, 0);
    printf("after disarming: %d\n", take(SIGRTMIN, &info, 0) != 0);
    arm(timer, TEN_MS, 0);
    nanosleep(&pause, NULL);
    CHECK(timer_delete(timer) == 0);
    printf("after deletion: %d\n", take(SIGRTMIN, &info, 0) != 0);
    SHOW(timer_delete(timer));
    SHOW(timer_getoverrun(timer));
}

/* Two timers with one standard signal: each has its own. */
static void two_timers(void) {
    siginfo_t info;
    block(SIGUSR1);
    timer_t first = make(SIGEV_SIGNAL, SIGUSR1, 1), second = make(SIGEV_SIGNAL, SIGUSR1, 2);
    struct timespec pause = {0, 10 * TEN_MS};
    CHECK(raise(SIGUSR1) == 0);
    arm(first, TEN_MS, 0);
    arm(second, 3 * TEN_MS, 0);
    nanosleep(&pause, NULL);
    while (take(SIGUSR1, &info, 0))
        printf("code %d value %d\n", info.si_code,
               info.si_code == SI_TIMER ? info.si_value.sival_int : 0);
    CHECK(timer_delete(first) == 0 && timer_delete(second) == 0);
}

static void silent(void) {
    timer_t timer = make(SIGEV_NONE, 0, 0);
    arm(timer, TEN_MS, 0);
    struct timespec pause = {0, 5 * TEN_MS};
    nanosleep(&pause, NULL);
    show_setting("silent", timer);
    arm(timer, TEN_MS, TEN_MS);
    nanosleep(&pause, NULL);
    show_setting("silent", timer);
    SHOW(timer_getoverrun(timer));
    CHECK(timer_delete(timer) == 0);
}

static pthread_barrier_t barrier;
static timer_t of_thread;

static void *receiver(void *argument) {
    siginfo_t info;
    block(SIGUSR2);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    CHECK(timer_create(CLOCK_REALTIME, &event, &of_thread) == 0);
    pthread_barrier_wait(&barrier);
    printf("thread got %d\n", take(SIGUSR2, &info, 5) == SIGUSR2);
    return argument;
}

static void by_thread_id(void) {
    pthread_t thread;
    siginfo_t info;
    block(SIGUSR2);
    pthread_barrier_init(&barrier, NULL, 2);
    CHECK(pthread_create(&thread, NULL, receiver, NULL) == 0);
    pthread_barrier_wait(&barrier);
    arm(of_thread, TEN_MS, 0);
    printf("process got %d\n", take(SIGUSR2, &info, 1) != 0);
    pthread_join(thread, NULL);
    arm(of_thread, TEN_MS, 0);
    printf("after its end %d\n", take(SIGUSR2, &info, 1) != 0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    event._sigev_un._tid = child;
    timer_t timer;
    SHOW(timer_create(CLOCK_REALTIME, &event, &timer));
    CHECK(waitpid(child, NULL, 0) == child);
    event.sigev_notify = 9;
    SHOW(timer_create(CLOCK_REALTIME, &event, &timer));
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = 65;
    SHOW(timer_create(CLOCK_REALTIME, &event, &timer));
    event.sigev_signo = 0;
    SHOW(timer_create(CLOCK_REALTIME, &event, &timer));
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int called;

static void notified(union sigval value) {
    pthread_mutex_lock(&mutex);
    called = value.sival_int;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
}

static void by_thread(void) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    event.sigev_notify_function = notified;
    event.sigev_value.sival_int = 42;
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    arm(timer, TEN_MS, 0);
    pthread_mutex_lock(&mutex);
    while (!called)
        pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
    printf("called with %d\n", called);
}

/* Timers are not inherited and do not survive execve. */
static void over_fork(void) {
    block(SIGRTMIN);
    timer_t timer = make(SIGEV_SIGNAL, SIGRTMIN, 1);
    pid_t child = fork();
    if (child == 0) {
        SHOW(timer_delete(timer));
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    SHOW(timer_delete(timer));
}

int main(void) {
    by_signal();
    two_timers();
    silent();
    by_thread_id();
    by_thread();
    over_fork();
    return 0;
}
