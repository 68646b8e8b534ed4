// guest: kernel = 6.12
/* time_namespaces(7): offsets of the monotonic and boot time clocks, and who lives with them. */
// guest: user = root
#include "guest.h"

#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

#include <linux/futex.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

#define OFFSETS "/proc/self/timens_offsets"

static void show_offsets(const char *text) {
    int fd = open(OFFSETS, O_WRONLY);
    CHECK(fd >= 0);
    printf("offsets \"%s\": ", text);
    SHOW(write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1);
    close(fd);
}

static long seconds_of(clockid_t clock) {
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return now.tv_sec;
}

static long seconds_by_call(clockid_t clock) {
    struct timespec now;
    CHECK(syscall(SYS_clock_gettime, clock, &now) == 0);
    return now.tv_sec;
}

/* A reading against what it was before, in thousands of seconds. */
static long before[12];

static void remember(void) {
    for (int clock = 0; clock < 12; clock++)
        if (clock < 8 || clock > 10) /* those of alarms need hardware */
            before[clock] = seconds_by_call(clock);
}

static void show_shift(const char *who) {
    for (int clock = 0; clock < 12; clock++) {
        if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID ||
            (clock >= 8 && clock <= 10))
            continue;
        printf("%s: clock %d: %ld %ld\n", who, clock, (seconds_of(clock) - before[clock]) / 1000,
               (seconds_by_call(clock) - before[clock]) / 1000);
    }
    struct sysinfo information;
    CHECK(sysinfo(&information) == 0);
    printf("%s: sysinfo %ld\n", who, ((long)information.uptime - before[CLOCK_BOOTTIME]) / 1000);
    double uptime;
    FILE *file = fopen("/proc/uptime", "r");
    CHECK(file && fscanf(file, "%lf", &uptime) == 1);
    fclose(file);
    printf("%s: uptime %ld\n", who, ((long)uptime - before[CLOCK_BOOTTIME]) / 1000);
}

/* Absolute times are of the namespace's clocks: each of these ends, and not at once. */
static void wait_absolute(clockid_t clock) {
    struct timespec start, now, when;
    clock_gettime(clock, &start);
    when = start;
    when.tv_nsec += 50000000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    SHOW(clock_nanosleep(clock, TIMER_ABSTIME, &when, NULL));
    clock_gettime(clock, &now);
    printf("after: %d\n", now.tv_sec > when.tv_sec ||
                              (now.tv_sec == when.tv_sec && now.tv_nsec >= when.tv_nsec));
    struct itimerspec setting = {.it_value = when};
    int fd = timerfd_create(clock, 0);
    uint64_t count = 0;
    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL));
    SHOW(read(fd, &count, sizeof count));
    setting.it_value.tv_sec += 500;
    SHOW(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL));
    SHOW(timerfd_gettime(fd, &setting));
    printf("left: %d\n", setting.it_value.tv_sec > 300 && setting.it_value.tv_sec <= 500);
    close(fd);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    SHOW(timer_create(clock, &event, &timer));
    setting.it_value = when;
    setting.it_value.tv_sec += 500;
    SHOW(timer_settime(timer, TIMER_ABSTIME, &setting, NULL));
    SHOW(timer_gettime(timer, &setting));
    printf("left: %d\n", setting.it_value.tv_sec > 300 && setting.it_value.tv_sec <= 500);
}

static void wait_in_futex(void) {
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_sec++;
    int word = 0;
    SHOW(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &when, NULL, FUTEX_BITSET_MATCH_ANY));
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("late enough: %d\n", now.tv_sec >= when.tv_sec);
}

static void show_start_time(const char *who) {
    char text[4096];
    int fd = open("/proc/self/stat", O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    CHECK(size > 0);
    text[size] = 0;
    unsigned long long start;
    CHECK(sscanf(strrchr(text, ')') + 2,
                 "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
                 &start) == 1);
    printf("%s: start %lld\n", who, ((long long)start / 100 - before[CLOCK_BOOTTIME]) / 1000);
}

static int same_link(const char *one, const char *other) {
    char first[64] = "", second[64] = "";
    CHECK(readlink(one, first, 63) > 0 && readlink(other, second, 63) > 0);
    return !strcmp(first, second);
}

static void *thread(void *argument) {
    return argument;
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) { /* executed in the namespace */
        memset(before, 0, sizeof before);
        before[CLOCK_BOOTTIME] = atol(argv[2]);
        before[CLOCK_MONOTONIC] = atol(argv[3]);
        printf("executed: %ld %ld\n", (seconds_of(CLOCK_BOOTTIME) - before[CLOCK_BOOTTIME]) / 1000,
               (seconds_of(CLOCK_MONOTONIC) - before[CLOCK_MONOTONIC]) / 1000);
        printf("same: %d\n", same_link("/proc/self/ns/time", "/proc/self/ns/time_for_children"));
        return 0;
    }
    remember();
    show_file(OFFSETS);
    show_offsets("monotonic 100 0\n");
    int original = open("/proc/self/ns/time", O_RDONLY);
    CHECK(original >= 0);
    SHOW(ioctl(original, NS_GET_NSTYPE) == CLONE_NEWTIME);
    SHOW(ioctl(original, NS_GET_PARENT));
    SHOW(unshare(CLONE_NEWTIME));
    printf("same: %d\n", same_link("/proc/self/ns/time", "/proc/self/ns/time_for_children"));
    show_offsets("monotonic");
    show_offsets("monotonic 1");
    show_offsets("realtime 1 0\n");
    show_offsets("monotonic 1 1000000000\n");
    show_offsets("monotonic 1 -1\n");
    show_offsets("monotonic -999999999 0\n");
    show_offsets("monotonic 9999999999999 0\n");
    show_offsets("monotonic 1 0 3\n");
    show_offsets("");
    show_offsets("\n");
    show_offsets("1 7000 5\n7 -1 1\n");
    show_file(OFFSETS);
    show_offsets("boottime 90000 0\nmonotonic 40000 7");
    show_file(OFFSETS);
    show_shift("maker");
    pthread_t id;
    SHOW(pthread_create(&id, NULL, thread, NULL));
    pid_t child = fork();
    if (child == 0) {
        show_offsets("monotonic 100 0\n");
        show_shift("child");
        show_start_time("child");
        printf("same: %d\n", same_link("/proc/self/ns/time", "/proc/self/ns/time_for_children"));
        wait_absolute(CLOCK_MONOTONIC);
        wait_absolute(CLOCK_BOOTTIME);
        wait_absolute(CLOCK_REALTIME);
        wait_in_futex();
        pid_t grandchild = fork();
        if (grandchild == 0) {
            show_shift("grandchild");
            SHOW(setns(original, CLONE_NEWTIME));
            show_shift("back");
            _exit(0);
        }
        wait_and_show("grandchild", grandchild);
        CHECK(pthread_create(&id, NULL, thread, NULL) == 0);
        pthread_join(id, NULL);
        char boot[32], monotonic[32];
        sprintf(boot, "%ld", before[CLOCK_BOOTTIME]);
        sprintf(monotonic, "%ld", before[CLOCK_MONOTONIC]);
        execl("/proc/self/exe", "self", "run", boot, monotonic, NULL);
        _exit(9);
    }
    wait_and_show("child", child);
    show_offsets("monotonic 100 0\n");
    struct clone_args arguments = {.flags = CLONE_NEWTIME, .exit_signal = SIGCHLD};
    child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    CHECK(child >= 0);
    if (child == 0) {
        show_file(OFFSETS);
        show_shift("cloned");
        show_offsets("monotonic 100 0\n");
        SHOW(unshare(CLONE_NEWTIME));
        show_file(OFFSETS);
        char boot[32], monotonic[32];
        sprintf(boot, "%ld", before[CLOCK_BOOTTIME]);
        sprintf(monotonic, "%ld", before[CLOCK_MONOTONIC]);
        show_offsets("monotonic 200000 0\n");
        child = vfork();
        if (child == 0) {
            execl("/proc/self/exe", "self", "run", boot, monotonic, NULL);
            _exit(9);
        }
        wait_and_show("spawned", child);
        _exit(0);
    }
    wait_and_show("cloned", child);
    SHOW(setns(original, CLONE_NEWUTS));
    SHOW(setns(original, 0));
    printf("same: %d\n", same_link("/proc/self/ns/time", "/proc/self/ns/time_for_children"));
    become_nobody();
    SHOW(unshare(CLONE_NEWTIME));
    SHOW(setns(original, 0));
    return 0;
}
