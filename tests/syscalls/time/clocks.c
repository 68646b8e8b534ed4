/* clock_gettime(2): clocks go forward, resolutions, ids that do not exist, CPU time. */
#include "guest.h"
#include <sys/times.h>

static long long now(clockid_t clock) {
    struct timespec time;
    CHECK(clock_gettime(clock, &time) == 0);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void) {
    struct timespec time;
    SHOW(clock_gettime(CLOCK_REALTIME, &time));
    SHOW(time.tv_sec > 1600000000);
    SHOW(syscall(SYS_clock_gettime, CLOCK_REALTIME, &time));
    SHOW(llabs(now(CLOCK_REALTIME) - (time.tv_sec * 1000000000LL + time.tv_nsec)) < 1000000000);
    int clocks[] = {CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE,
                    CLOCK_REALTIME_COARSE};
    for (int i = 0; i < 5; i++) {
        long long before = now(clocks[i]), after = before;
        for (int j = 0; j < 1000 && after >= before; j++)
            after = now(clocks[i]);
        printf("clock %d: %s\n", clocks[i], after >= before ? "forward" : "backward");
    }
    long long started = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
    while (now(CLOCK_MONOTONIC) - wall < 30000000)
        continue;
    long long used = now(CLOCK_PROCESS_CPUTIME_ID) - started;
    SHOW(used > 1000000 && used < 2000000000);
    SHOW(now(CLOCK_THREAD_CPUTIME_ID) > 0);
    SHOW(clock_getres(CLOCK_MONOTONIC, &time));
    SHOW(time.tv_sec == 0 && time.tv_nsec == 1);
    SHOW(clock_gettime(77, &time));
    SHOW(clock_getres(77, &time));
    SHOW(clock_settime(CLOCK_MONOTONIC, &time));
    SHOW(gettimeofday(&(struct timeval){0}, NULL));
    SHOW(syscall(SYS_time, NULL) > 1600000000);
    struct tms usage;
    SHOW(times(&usage) != -1);
    SHOW(clock() >= 0);
    return 0;
}
