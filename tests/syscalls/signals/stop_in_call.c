/* A call that waits while its process is stopped: what SIGCONT's handler makes of it. */
#include "guest.h"
#include <poll.h>

static void handler(int number) {
    (void)number;
}

/* Stop and continue a child that waits; report what its call returned. */
static void try(const char *what, int flags, long (*call)(int fd)) {
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
        CHECK(flags < 0 || sigaction(SIGCONT, &action, NULL) == 0);
        errno = 0;
        long result = call(fds[0]);
        printf("%s: %ld %s\n", what, result, errno_name(errno));
        _exit(0);
    }
    int status;
    usleep(30000); /* until it waits */
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK(kill(child, SIGCONT) == 0);
    usleep(30000);
    CHECK(write(fds[1], "x", 1) == 1);
    wait_and_show(what, child);
    close(fds[0]);
    close(fds[1]);
}

static long reads(int fd) {
    char byte;
    return read(fd, &byte, 1);
}

static long polls(int fd) {
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, 5000);
}

int main(void) {
    try("read, no handler", -1, reads);
    try("read, handler", 0, reads);
    try("read, handler that restarts", SA_RESTART, reads);
    try("poll, no handler", -1, polls);
    try("poll, handler", 0, polls);
    try("poll, handler that restarts", SA_RESTART, polls);
    return 0;
}
