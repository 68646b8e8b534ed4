/* O_NONBLOCK: EAGAIN, writes of PIPE_BUF that are all or nothing, FIONREAD, the size. */
#include "guest.h"
#include <limits.h>
#include <sys/ioctl.h>

int main(void) {
    int fds[2];
    char data[PIPE_BUF];
    memset(data, 'x', sizeof data);
    SHOW(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
    SHOW(fcntl(fds[0], F_GETFD));
    SHOW((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
    SHOW(read(fds[0], data, 1));
    SHOW(fcntl(fds[1], F_GETPIPE_SZ));
    long total = 0, count;
    while ((count = write(fds[1], data, sizeof data)) > 0)
        total += count;
    printf("%ld %s\n", total, errno_name(errno));
    SHOW(write(fds[1], data, 1));
    int waiting;
    SHOW(ioctl(fds[0], FIONREAD, &waiting));
    SHOW(waiting);
    SHOW(read(fds[0], data, 100));
    SHOW(write(fds[1], data, PIPE_BUF));
    SHOW(read(fds[0], data, PIPE_BUF));
    SHOW(write(fds[1], data, PIPE_BUF));
    SHOW(fcntl(fds[1], F_SETPIPE_SZ, 1 << 17));
    SHOW(write(fds[1], data, PIPE_BUF));
    SHOW(pipe2(fds, 0x4));
    SHOW(pipe((int *)8));
    SHOW(open("/dev/null", O_RDONLY));
    return 0;
}
