/* timerfd_create(2): counts of expirations, absolute times, poll, what is left. */
#include "guest.h"
#include <poll.h>
#include <sys/timerfd.h>

int main(void) {
    int fd = SHOW(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    uint64_t count = 0;
    SHOW(read(fd, &count, 8));
    struct itimerspec spec = {{0, 5000000}, {0, 5000000}}, left;
    SHOW(timerfd_settime(fd, 0, &spec, NULL));
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    SHOW(poll(&poller, 1, 2000));
    SHOW(poller.revents == POLLIN);
    usleep(30000);
    SHOW(read(fd, &count, 8));
    SHOW(count >= 4 && count < 400);
    SHOW(timerfd_gettime(fd, &left));
    SHOW(left.it_interval.tv_nsec);
    SHOW(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 5000000);
    struct itimerspec off = {0};
    SHOW(timerfd_settime(fd, 0, &off, NULL));
    SHOW(read(fd, &count, 8));
    SHOW(read(fd, &count, 4));
    struct itimerspec past = {.it_value = {1, 0}};
    int blocking = SHOW(timerfd_create(CLOCK_REALTIME, 0));
    SHOW(timerfd_settime(blocking, TFD_TIMER_ABSTIME, &past, NULL));
    SHOW(read(blocking, &count, 8));
    SHOW(count);
    SHOW(timerfd_create(77, 0));
    SHOW(timerfd_create(CLOCK_MONOTONIC, 0x8000000));
    SHOW(timerfd_settime(1, 0, &spec, NULL));
    SHOW(write(fd, &count, 8));
    SHOW(lseek(fd, 0, SEEK_CUR) == -1 ? errno == ESPIPE : 1);
    return 0;
}
