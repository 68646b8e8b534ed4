/* The descriptor table: lowest free number, the limit, close_range(2), closing on exec. */
#include "guest.h"
#include <linux/close_range.h>
#include <sys/resource.h>

int main(void) {
    for (int fd = 3; fd < 8; fd++)
        CHECK(open("/dev/null", O_RDONLY) == fd);
    SHOW(close(4));
    SHOW(close(6));
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(dup(3));
    SHOW(dup(3));
    SHOW(close_range(5, 6, 0));
    SHOW(fcntl(5, F_GETFD));
    SHOW(close_range(7, ~0U, CLOSE_RANGE_CLOEXEC));
    SHOW(fcntl(7, F_GETFD));
    SHOW(close_range(9, 5, 0));
    SHOW(close_range(3, ~0U, 0));
    SHOW(open("/dev/null", O_RDONLY));
    struct rlimit limit = {6, 6};
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    SHOW(dup(3));
    SHOW(dup(3));
    SHOW(dup(3));
    SHOW(open("/dev/null", O_RDONLY));
    int pipes[2];
    SHOW(pipe(pipes));
    SHOW(fcntl(3, F_DUPFD, 6));
    SHOW(dup2(3, 6));
    SHOW(dup2(3, 5));
    return 0;
}
