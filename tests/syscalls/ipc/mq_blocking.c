// guest: user = root
// guest: cflags = -lrt
/* POSIX message queues: who waits, for how long, what ends it, and poll(2) and epoll(7). */
#include "guest.h"
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>

static mqd_t queue;
/* a child prints when its parent has: a byte comes through */
static int turn[2];

static void handle(int signal) {
    printf("signal %d\n", signal);
}

static struct timespec after(long milliseconds) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    now.tv_nsec += milliseconds * 1000000;
    now.tv_sec += now.tv_nsec / 1000000000;
    now.tv_nsec %= 1000000000;
    return now;
}

static void await_turn(void) {
    char byte;
    int before = errno;
    CHECK(read(turn[0], &byte, 1) == 1);
    errno = before;
}

static void take_in(bool in_child) {
    char text[16] = "";
    unsigned priority;
    ssize_t size = mq_receive(queue, text, sizeof text, &priority);
    if (in_child)
        await_turn();
    printf("%zd %s: %s\n", size, size < 0 ? errno_name(errno) : "received", text);
}

static void take(void) {
    take_in(false);
}

static void finish(const char *who, pid_t child) {
    CHECK(write(turn[1], "", 1) == 1);
    wait_and_show(who, child);
}

/* Until the thread of a child sleeps. */
static void until_asleep(pid_t child) {
    char path[64], text[200];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    for (int count = 0; count < 5000; count++) {
        int fd = open(path, O_RDONLY);
        ssize_t size = read(fd, text, sizeof text - 1);
        close(fd);
        CHECK(size > 0);
        text[size] = 0;
        if (strrchr(text, ')')[2] == 'S')
            return;
        usleep(1000);
    }
    CHECK(!"asleep");
}

static void show_poll(const char *when) {
    struct pollfd waiting = {.fd = queue, .events = POLLIN | POLLOUT | POLLRDNORM | POLLPRI};
    int count = poll(&waiting, 1, 0);
    printf("%s: %d events %x\n", when, count, waiting.revents);
}

static void readiness(void) {
    int set = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    SHOW(epoll_ctl(set, EPOLL_CTL_ADD, queue, &event));
    show_poll("empty");
    SHOW(epoll_wait(set, &event, 1, 0));
    SHOW(mq_send(queue, "one", 4, 0));
    show_poll("one");
    SHOW(epoll_wait(set, &event, 1, 0));
    SHOW(mq_send(queue, "two", 4, 0));
    show_poll("full");
    take();
    take();
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        CHECK(mq_send(queue, "late", 5, 0) == 0);
        _exit(0);
    }
    while (epoll_wait(set, &event, 1, 0) > 0)
        ;
    struct pollfd waiting = {.fd = queue, .events = POLLIN};
    SHOW(poll(&waiting, 1, 5000));
    SHOW(epoll_wait(set, &event, 1, 5000));
    printf("events %x\n", event.events);
    take();
    wait_and_show("sender", child);
    close(set);
}

static void handing_over(void) {
    pid_t child = fork();
    if (child == 0) {
        take_in(true);
        fflush(stdout);
        _exit(0);
    }
    until_asleep(child);
    SHOW(mq_send(queue, "for the child", 14, 0));
    struct timespec soon = after(10);
    char text[16];
    SHOW(mq_timedreceive(queue, text, sizeof text, NULL, &soon));
    finish("receiver", child);

    SHOW(mq_send(queue, "first", 6, 0));
    SHOW(mq_send(queue, "second", 7, 0));
    soon = after(10);
    SHOW(mq_timedsend(queue, "late", 5, 0, &soon));
    child = fork();
    if (child == 0) {
        int result = mq_send(queue, "third", 6, 9);
        await_turn();
        printf("third: %d\n", result);
        fflush(stdout);
        _exit(0);
    }
    until_asleep(child);
    take();
    finish("sender", child);
    take();
    take();
}

static void interruption(int flags) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = flags};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    pid_t child = fork();
    if (child == 0) {
        take_in(true);
        fflush(stdout);
        _exit(0);
    }
    until_asleep(child);
    CHECK(kill(child, SIGUSR1) == 0);
    if (flags) {
        usleep(20000);
        until_asleep(child);
        SHOW(mq_send(queue, "after it", 9, 0));
    }
    finish("interrupted", child);
}

int main(void) {
    CHECK(unshare(CLONE_NEWIPC) == 0 && pipe(turn) == 0);
    struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 16};
    queue = mq_open("/guest-mq-blocking", O_CREAT | O_RDWR, 0600, &attributes);
    CHECK(queue >= 0);
    readiness();
    handing_over();
    interruption(0);
    interruption(SA_RESTART);
    SHOW(mq_unlink("/guest-mq-blocking"));
    return 0;
}
