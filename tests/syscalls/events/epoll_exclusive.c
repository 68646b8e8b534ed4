/* EPOLLEXCLUSIVE: of those that wait in epoll files of their own, one event wakes one. */
// guest: timeout = 30
#include "guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#define WAITERS 4

/* Until a child sleeps in its wait. */
static void wait_until_asleep(pid_t child) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    for (;;) {
        int fd = open(path, O_RDONLY);
        CHECK(fd >= 0);
        ssize_t size = read(fd, text, sizeof text - 1);
        close(fd);
        CHECK(size > 0);
        text[size] = 0;
        if (strrchr(text, ')')[2] == 'S')
            return;
        usleep(1000);
    }
}

/* How many of the waiters an event wakes: those that are not are woken by `finish`. */
static void count_woken(const char *what, int fd, uint32_t events, void (*happen)(void)) {
    pid_t children[WAITERS];
    int report[2], finish[2], ready[2];
    CHECK(pipe(report) == 0 && pipe(finish) == 0 && pipe(ready) == 0);
    for (int number = 0; number < WAITERS; number++) {
        children[number] = fork();
        if (children[number])
            continue;
        int epoll = epoll_create1(0);
        struct epoll_event event = {.events = events, .data.u32 = 1};
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
        struct epoll_event end = {.events = EPOLLIN, .data.u32 = 2};
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, finish[0], &end) == 0);
        CHECK(write(ready[1], "r", 1) == 1);
        struct epoll_event found[2];
        int count = epoll_wait(epoll, found, 2, -1);
        for (int each = 0; each < count; each++)
            if (found[each].data.u32 == 1)
                CHECK(write(report[1], "w", 1) == 1);
        _exit(0);
    }
    char letter;
    for (int number = 0; number < WAITERS; number++)
        CHECK(read(ready[0], &letter, 1) == 1);
    for (int number = 0; number < WAITERS; number++)
        wait_until_asleep(children[number]);
    happen();
    CHECK(read(report[0], &letter, 1) == 1);
    usleep(100000); /* time for those that should not */
    CHECK(write(finish[1], "e", 1) == 1);
    for (int number = 0; number < WAITERS; number++)
        CHECK(wait(NULL) > 0);
    close(report[1]);
    int woken = 1;
    while (read(report[0], &letter, 1) == 1)
        woken++;
    printf("%s: %s\n", what, woken == 1 ? "one" : woken == WAITERS ? "all" : "some");
}

static int ends[2];

static void write_byte(void) {
    CHECK(write(ends[1], "x", 1) == 1);
}

static void write_count(void) {
    uint64_t one = 1;
    CHECK(write(ends[0], &one, sizeof one) == sizeof one);
}

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0epoll exclusive"};

static void connect_there(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
}

int main(void) {
    CHECK(pipe(ends) == 0);
    count_woken("pipe", ends[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLET, write_byte);
    CHECK(pipe(ends) == 0);
    count_woken("pipe, level", ends[0], EPOLLIN | EPOLLEXCLUSIVE, write_byte);
    CHECK(pipe(ends) == 0);
    count_woken("pipe, shared", ends[0], EPOLLIN | EPOLLET, write_byte);
    ends[0] = eventfd(0, 0);
    count_woken("eventfd", ends[0], EPOLLIN | EPOLLEXCLUSIVE, write_count);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    count_woken("socket", ends[0], EPOLLIN | EPOLLEXCLUSIVE, write_byte);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 5) == 0);
    count_woken("listener", listener, EPOLLIN | EPOLLEXCLUSIVE, connect_there);
    return 0;
}
