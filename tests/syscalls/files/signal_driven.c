/* O_ASYNC, F_SETOWN, F_SETSIG: a signal when a pipe becomes ready, to whom and which. */
#include "guest.h"
#include <poll.h>

static void expect(int number) {
    sigset_t set;
    siginfo_t info;
    struct timespec second = {1, 0};
    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    int got = sigtimedwait(&set, &info, number ? &second : &(struct timespec){0, 0});
    printf("signal %s\n", got < 0 ? "none" : got == SIGIO ? "SIGIO" : got == SIGUSR1 ? "SIGUSR1" : "SIGRTMIN");
    if (got > 0 && got != SIGIO)
        printf("code %d band %ld fd matches %d\n", info.si_code, info.si_band, info.si_fd == number);
}

int main(void) {
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fds[2];
    CHECK(pipe(fds) == 0);
    SHOW(fcntl(fds[0], F_GETOWN));
    SHOW(fcntl(fds[0], F_GETSIG));
    SHOW(fcntl(fds[0], F_SETFL, O_ASYNC | O_NONBLOCK));
    SHOW(write(fds[1], "x", 1));
    expect(0);
    SHOW(fcntl(fds[0], F_SETOWN, getpid()));
    SHOW(fcntl(fds[0], F_GETOWN) == getpid());
    char byte;
    SHOW(read(fds[0], &byte, 1));
    SHOW(write(fds[1], "x", 1));
    expect(fds[0]);
    SHOW(fcntl(fds[0], F_SETSIG, SIGRTMIN) );
    SHOW(read(fds[0], &byte, 1));
    SHOW(write(fds[1], "x", 1));
    expect(fds[0]);
    SHOW(fcntl(fds[0], F_SETSIG, SIGUSR1));
    struct f_owner_ex owner = {F_OWNER_TID, gettid()};
    SHOW(fcntl(fds[0], F_SETOWN_EX, &owner));
    owner.type = 77;
    SHOW(fcntl(fds[0], F_GETOWN_EX, &owner));
    SHOW(owner.type);
    SHOW(owner.pid == getpid());
    SHOW(fcntl(fds[0], F_SETOWN, -getpgrp()));
    SHOW(fcntl(fds[0], F_GETOWN_EX, &owner));
    SHOW(owner.type);
    SHOW(read(fds[0], &byte, 1));
    SHOW(write(fds[1], "x", 1));
    expect(fds[0]);
    SHOW(fcntl(fds[0], F_SETFL, O_NONBLOCK));
    SHOW(read(fds[0], &byte, 1));
    SHOW(write(fds[1], "x", 1));
    expect(0);
    SHOW(fcntl(fds[0], F_SETOWN, 4000000));
    SHOW(fcntl(fds[0], F_SETOWN, -2147483647 - 1));
    owner.type = 9;
    SHOW(fcntl(fds[0], F_SETOWN_EX, &owner));
    SHOW(fcntl(fds[0], F_SETSIG, 65));
    return 0;
}
