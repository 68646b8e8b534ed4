/* A poll that waits is woken by a write in another process, by a hang-up, by a thread. */
// guest: cflags = -pthread
#include "guest.h"
#include <poll.h>

static int fds[2];

static void *writes(void *argument) {
    usleep(20000);
    CHECK(write(fds[1], "t", 1) == 1);
    return argument;
}

int main(void) {
    char byte;
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        CHECK(write(fds[1], "x", 1) == 1);
        _exit(0);
    }
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    SHOW(poll(&poller, 1, 5000));
    SHOW(read(fds[0], &byte, 1));
    wait_and_show("child", child);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, writes, NULL) == 0);
    SHOW(poll(&poller, 1, 5000));
    SHOW(read(fds[0], &byte, 1));
    CHECK(pthread_join(thread, NULL) == 0);
    child = fork();
    if (child == 0) {
        usleep(20000);
        _exit(0);
    }
    close(fds[1]);
    SHOW(poll(&poller, 1, 5000));
    printf("%x\n", poller.revents);
    wait_and_show("child", child);
    return 0;
}
