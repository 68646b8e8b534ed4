/* signalfd(2): blocked signals are read instead of handled. */
#include "guest.h"
#include <poll.h>
#include <sys/signalfd.h>

int main(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    int fd = SHOW(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    struct signalfd_siginfo info;
    SHOW(read(fd, &info, sizeof info));
    CHECK(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 7}) == 0);
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    SHOW(poll(&poller, 1, 1000));
    SHOW(read(fd, &info, sizeof info));
    printf("%s code %d value %d mine %d\n", sigabbrev_np(info.ssi_signo), info.ssi_code,
           info.ssi_int, info.ssi_pid == (unsigned)getpid());
    pid_t child = fork();
    if (child == 0)
        _exit(5);
    SHOW(poll(&poller, 1, 5000));
    SHOW(read(fd, &info, sizeof info));
    printf("%s status %d child %d\n", sigabbrev_np(info.ssi_signo), info.ssi_status,
           info.ssi_pid == (unsigned)child);
    wait_and_show("child", child);
    SHOW(read(fd, &info, 10));
    sigdelset(&set, SIGUSR1);
    SHOW(signalfd(fd, &set, 0) == fd);
    CHECK(raise(SIGUSR1) == 0);
    SHOW(poll(&poller, 1, 0));
    SHOW(signalfd(1, &set, 0));
    SHOW(signalfd(-1, &set, 0x40));
    return 0;
}
