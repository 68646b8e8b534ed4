/* epoll_wait(2) that waits: woken from another process; added while waiting; by signals. */
// guest: cflags = -pthread
#include "guest.h"
#include <sys/epoll.h>

static int poller, first[2], second[2];

static void *adds(void *argument) {
    usleep(20000);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 2};
    CHECK(epoll_ctl(poller, EPOLL_CTL_ADD, second[0], &event) == 0);
    return argument;
}

static void handler(int number) {
    (void)number;
}

int main(void) {
    CHECK((poller = epoll_create1(0)) >= 0);
    CHECK(pipe(first) == 0 && pipe(second) == 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 1}, got;
    CHECK(epoll_ctl(poller, EPOLL_CTL_ADD, first[0], &event) == 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        CHECK(write(first[1], "x", 1) == 1);
        _exit(0);
    }
    SHOW(epoll_wait(poller, &got, 1, 5000));
    SHOW(got.data.u32);
    wait_and_show("child", child);
    char byte;
    CHECK(read(first[0], &byte, 1) == 1);
    CHECK(write(second[1], "x", 1) == 1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, adds, NULL) == 0);
    SHOW(epoll_wait(poller, &got, 1, 5000));
    SHOW(got.data.u32);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(read(second[0], &byte, 1) == 1);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval timer = {.it_value = {.tv_usec = 20000}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    SHOW(epoll_wait(poller, &got, 1, 5000));
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    SHOW(epoll_pwait(poller, &got, 1, 50, &all));
    return 0;
}
