/* poll(2), ppoll(2), select(2): ready, not ready, hung up, closed, negative, timeouts. */
#include "guest.h"
#include <poll.h>
#include <sys/select.h>

static void show(struct pollfd *fds, int count) {
    for (int i = 0; i < count; i++)
        printf("  %x", fds[i].revents);
    printf("\n");
}

int main(void) {
    int fds[2];
    CHECK(pipe(fds) == 0);
    put_file("file", "x");
    int file = open("file", O_RDWR);
    struct pollfd set[] = {{fds[0], POLLIN, 9}, {fds[1], POLLOUT, 9}, {file, POLLIN | POLLOUT, 9},
                           {-1, POLLIN, 9},     {99, POLLIN, 9}};
    SHOW(poll(set, 5, 0));
    show(set, 5);
    CHECK(write(fds[1], "x", 1) == 1);
    SHOW(poll(set, 1, -1));
    show(set, 1);
    close(fds[1]);
    SHOW(poll(set, 1, -1));
    show(set, 1);
    char data[4];
    SHOW(read(fds[0], data, 4));
    set[0].events = 0;
    SHOW(poll(set, 1, -1));
    show(set, 1);
    CHECK(pipe(fds) == 0);
    int kept = dup(fds[0]);
    close(fds[0]);
    close(kept);
    set[0] = (struct pollfd){fds[1], POLLOUT, 0};
    SHOW(poll(set, 1, 0));
    show(set, 1);
    struct timespec start, end, wait = {0, 30000000};
    clock_gettime(CLOCK_MONOTONIC, &start);
    SHOW(poll(NULL, 0, 30));
    SHOW(ppoll(NULL, 0, &wait, NULL));
    clock_gettime(CLOCK_MONOTONIC, &end);
    long spent = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
    SHOW(spent >= 60 && spent < 3000);
    fd_set read_set, write_set;
    FD_ZERO(&read_set);
    FD_ZERO(&write_set);
    FD_SET(file, &read_set);
    FD_SET(file, &write_set);
    struct timeval none = {0, 0};
    SHOW(select(file + 1, &read_set, &write_set, NULL, &none));
    FD_ZERO(&read_set);
    FD_SET(50, &read_set);
    SHOW(select(51, &read_set, NULL, NULL, &none));
    SHOW(select(-1, NULL, NULL, NULL, &none));
    CHECK(pipe(fds) == 0);
    FD_ZERO(&read_set);
    FD_SET(fds[0], &read_set);
    struct timeval little = {0, 20000};
    SHOW(select(fds[0] + 1, &read_set, NULL, NULL, &little));
    SHOW(FD_ISSET(fds[0], &read_set));
    SHOW(little.tv_usec);
    sigset_t empty;
    sigemptyset(&empty);
    struct timespec small = {0, 1000000};
    FD_SET(fds[1], &write_set);
    FD_CLR(file, &write_set);
    SHOW(pselect(fds[1] + 1, NULL, &write_set, NULL, &small, &empty));
    SHOW(FD_ISSET(fds[1], &write_set));
    return 0;
}
