/* nanosleep(2), clock_nanosleep(2): at least as long as asked, absolute times, bad times. */
#include "guest.h"

static long elapsed_ms(struct timespec *since) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

int main(void) {
    struct timespec start, request = {0, 30000000};
    clock_gettime(CLOCK_MONOTONIC, &start);
    SHOW(nanosleep(&request, NULL));
    SHOW(elapsed_ms(&start) >= 30 && elapsed_ms(&start) < 3000);
    struct timespec until = start;
    until.tv_nsec += 60000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
    SHOW(elapsed_ms(&start) >= 59);
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &start, NULL));
    SHOW(clock_nanosleep(CLOCK_REALTIME, 0, &request, NULL));
    request.tv_nsec = -1;
    SHOW(nanosleep(&request, NULL));
    request.tv_nsec = 1000000000;
    SHOW(nanosleep(&request, NULL));
    request = (struct timespec){-1, 0};
    SHOW(nanosleep(&request, NULL));
    SHOW(clock_nanosleep(77, 0, &request, NULL) == EINVAL);
    request = (struct timespec){0, 0};
    SHOW(nanosleep(&request, NULL));
    return 0;
}
