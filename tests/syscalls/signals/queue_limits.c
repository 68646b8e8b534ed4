/* RLIMIT_SIGPENDING: queued signals and POSIX timers count for the real user who gets them. */
// guest: user = root
#include "guest.h"

#include <sched.h>
#include <sys/resource.h>

/* A user that nobody else is. */
#define USER 54321

static long counted(void) {
    char line[256];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file);
    while (fgets(line, sizeof line, file))
        sscanf(line, "SigQ: %ld", &value);
    fclose(file);
    return value;
}

static void limit(rlim_t value) {
    struct rlimit limits = {value, value};
    CHECK(setrlimit(RLIMIT_SIGPENDING, &limits) == 0);
}

static int send_until_full(pid_t pid, int number) {
    int count = 0;
    union sigval value = {.sival_int = 7};
    while (count < 100 && sigqueue(pid, number, value) == 0)
        count++;
    printf("queued %d, %s\n", count, errno_name(errno));
    return count;
}

static void show_pending(int number) {
    sigset_t set;
    siginfo_t info;
    struct timespec none = {0, 0};
    sigemptyset(&set);
    sigaddset(&set, number);
    int got = sigtimedwait(&set, &info, &none);
    if (got < 0)
        printf("%d: %s\n", number, errno_name(errno));
    else
        printf("%d: code %d value %d sender %d\n", number, info.si_code,
               info.si_code == SI_QUEUE ? info.si_value.sival_int : 0,
               info.si_pid == 0 ? 0 : 1);
}

static void count_pending(int number) {
    sigset_t set;
    struct timespec none = {0, 0};
    sigemptyset(&set);
    sigaddset(&set, number);
    int count = 0;
    while (sigtimedwait(&set, NULL, &none) == number)
        count++;
    printf("pending %d\n", count);
}

static void of_process(void) {
    sigset_t all;
    sigfillset(&all);
    CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    printf("counted %ld\n", counted());
    limit(5);
    send_until_full(getpid(), SIGRTMIN);
    printf("counted %ld\n", counted());
    /* Standard signals are not refused; those with a value lose it. */
    SHOW(kill(getpid(), SIGUSR1));
    union sigval value = {.sival_int = 9};
    SHOW(sigqueue(getpid(), SIGUSR2, value));
    SHOW(kill(getpid(), SIGRTMIN + 1));
    SHOW(kill(getpid(), SIGRTMIN + 1));
    SHOW(syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN + 2));
    printf("counted %ld\n", counted());
    timer_t timer;
    SHOW(timer_create(CLOCK_MONOTONIC, NULL, &timer));
    show_pending(SIGUSR1);
    show_pending(SIGUSR2);
    show_pending(SIGRTMIN + 1);
    show_pending(SIGRTMIN + 1);
    show_pending(SIGRTMIN + 2);
    count_pending(SIGRTMIN);
    printf("counted %ld\n", counted());
    timer_t timers[6];
    for (int number = 0; number < 6; number++)
        SHOW(timer_create(CLOCK_MONOTONIC, NULL, &timers[number]));
    printf("counted %ld\n", counted());
    SHOW(timer_delete(timers[0]));
    printf("counted %ld\n", counted());
    send_until_full(getpid(), SIGRTMIN);
    count_pending(SIGRTMIN);
    for (int number = 1; number < 5; number++)
        CHECK(timer_delete(timers[number]) == 0);
    printf("counted %ld\n", counted());
}

/* What a user has is counted over all processes, and for the owner of a user namespace. */
static void of_user(void) {
    int ready[2], go[2];
    char letter;
    CHECK(pipe(ready) == 0 && pipe(go) == 0);
    sigset_t all;
    sigfillset(&all);
    CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    limit(5);
    pid_t child = fork();
    if (child == 0) {
        send_until_full(getpid(), SIGRTMIN);
        CHECK(write(ready[1], "r", 1) == 1 && read(go[0], &letter, 1) == 1);
        _exit(0);
    }
    CHECK(read(ready[0], &letter, 1) == 1);
    printf("counted %ld\n", counted());
    send_until_full(getpid(), SIGRTMIN);
    CHECK(write(go[1], "g", 1) == 1);
    wait_and_show("child", child);
    printf("counted %ld\n", counted());
    child = fork();
    if (child == 0) {
        CHECK(unshare(CLONE_NEWUSER) == 0);
        printf("counted inside %ld\n", counted());
        send_until_full(getpid(), SIGRTMIN);
        printf("counted inside %ld\n", counted());
        CHECK(write(ready[1], "r", 1) == 1 && read(go[0], &letter, 1) == 1);
        _exit(0);
    }
    CHECK(read(ready[0], &letter, 1) == 1);
    printf("counted outside %ld\n", counted());
    send_until_full(getpid(), SIGRTMIN);
    CHECK(write(go[1], "g", 1) == 1);
    wait_and_show("child", child);
}

int main(void) {
    CHECK(setgid(USER) == 0 && setuid(USER) == 0);
    pid_t child = fork();
    if (child == 0) {
        of_process();
        _exit(0);
    }
    wait_and_show("process", child);
    child = fork();
    if (child == 0) {
        of_user();
        _exit(0);
    }
    wait_and_show("user", child);
    return 0;
}
