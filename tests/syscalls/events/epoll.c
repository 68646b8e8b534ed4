/* epoll(7): level and edge, one-shot, modification, removal by close, nesting, errors. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static int poller;

static void wait_now(const char *what) {
    struct epoll_event events[8];
    int count = epoll_wait(poller, events, 8, 0);
    printf("%s: %d", what, count);
    for (int i = 0; i < count; i++)
        printf(" [%u: %x]", events[i].data.u32, events[i].events);
    printf("\n");
}

static int control(int operation, int fd, unsigned events, unsigned data) {
    struct epoll_event event = {.events = events, .data.u32 = data};
    return epoll_ctl(poller, operation, fd, &event);
}

int main(void) {
    int fds[2];
    char data[8];
    poller = SHOW(epoll_create1(EPOLL_CLOEXEC));
    CHECK(pipe(fds) == 0);
    SHOW(control(EPOLL_CTL_ADD, fds[0], EPOLLIN, 1));
    SHOW(control(EPOLL_CTL_ADD, fds[0], EPOLLIN, 1));
    wait_now("empty");
    CHECK(write(fds[1], "abc", 3) == 3);
    wait_now("level");
    wait_now("level again");
    SHOW(control(EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLET, 2));
    wait_now("edge");
    wait_now("edge again");
    CHECK(write(fds[1], "d", 1) == 1);
    wait_now("edge, more came");
    SHOW(control(EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 3));
    wait_now("one-shot");
    wait_now("one-shot again");
    SHOW(control(EPOLL_CTL_MOD, fds[0], EPOLLIN | EPOLLONESHOT, 4));
    wait_now("rearmed");
    CHECK(read(fds[0], data, 8) == 4);
    SHOW(control(EPOLL_CTL_MOD, fds[0], EPOLLIN, 5));
    wait_now("drained");
    close(fds[1]);
    wait_now("hung up");
    SHOW(control(EPOLL_CTL_DEL, fds[0], 0, 0));
    SHOW(control(EPOLL_CTL_DEL, fds[0], 0, 0));
    SHOW(control(EPOLL_CTL_MOD, fds[0], EPOLLIN, 0));
    put_file("file", "x");
    int file = open("file", O_RDONLY);
    SHOW(control(EPOLL_CTL_ADD, file, EPOLLIN, 0));
    SHOW(control(EPOLL_CTL_ADD, 99, EPOLLIN, 0));
    SHOW(control(EPOLL_CTL_ADD, poller, EPOLLIN, 0));
    SHOW(control(77, fds[0], EPOLLIN, 0));
    int counter = eventfd(1, EFD_NONBLOCK);
    SHOW(control(EPOLL_CTL_ADD, counter, EPOLLIN | EPOLLOUT, 6));
    wait_now("counter");
    int outer = SHOW(epoll_create1(0)), inner = poller;
    poller = outer;
    SHOW(control(EPOLL_CTL_ADD, inner, EPOLLIN, 7));
    wait_now("nested");
    poller = inner;
    SHOW(control(EPOLL_CTL_ADD, outer, EPOLLIN, 8));
    int copy = dup(counter);
    close(counter);
    wait_now("still open by its copy");
    close(copy);
    wait_now("closed");
    struct epoll_event event;
    SHOW(epoll_wait(poller, &event, 0, 0));
    SHOW(epoll_wait(fds[0], &event, 1, 0));
    SHOW(epoll_wait(poller, &event, 1, 20));
    SHOW(epoll_create1(0x40));
    SHOW(epoll_create(0));
    return 0;
}
