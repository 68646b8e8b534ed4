/* pidfd_open(2): polling for the end of a process, signals through it, errors. */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>

static int pidfd(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    int fd = pidfd(child, 0);
    CHECK(fd >= 0);
    SHOW(fcntl(fd, F_GETFD));
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    SHOW(poll(&entry, 1, 0));
    SHOW(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    SHOW(syscall(SYS_pidfd_send_signal, fd, 99, NULL, 0));
    SHOW(syscall(SYS_pidfd_send_signal, 0, 0, NULL, 0));
    SHOW(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
    SHOW(poll(&entry, 1, -1));
    SHOW(entry.revents);
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    SHOW(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event));
    SHOW(epoll_wait(poller, &event, 1, -1));
    char data[8];
    SHOW(read(fd, data, 8));
    wait_and_show("child", child);
    SHOW(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    SHOW(pidfd(child, 0));
    SHOW(pidfd(0, 0));
    SHOW(pidfd(getpid(), 1));
    int self = pidfd(getpid(), 0);
    int copy = (int)syscall(SYS_pidfd_getfd, self, poller, 0);
    SHOW(copy > self);
    SHOW(syscall(SYS_pidfd_getfd, self, 1234, 0));
    return 0;
}
