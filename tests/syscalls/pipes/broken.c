/* Writing when nobody reads: EPIPE and SIGPIPE. */
#include "guest.h"

static volatile int caught;

static void handler(int number) {
    caught = number;
}

int main(void) {
    int fds[2];
    CHECK(pipe(fds) == 0);
    close(fds[0]);
    signal(SIGPIPE, handler);
    SHOW(write(fds[1], "x", 1));
    printf("caught %s\n", sigabbrev_np(caught));
    signal(SIGPIPE, SIG_IGN);
    SHOW(write(fds[1], "x", 1));
    SHOW(write(fds[1], "", 0));
    pid_t child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        write(fds[1], "x", 1);
        _exit(0);
    }
    wait_and_show("child", child);
    /* a writer that waits for room is woken when the reader goes */
    CHECK(pipe(fds) == 0);
    child = fork();
    if (child == 0) {
        close(fds[0]);
        static char large[1 << 20];
        errno = 0;
        long count = write(fds[1], large, sizeof large);
        printf("%s\n", count < (long)sizeof large ? "cut short" : "complete");
        _exit(0);
    }
    close(fds[1]);
    char data[100];
    CHECK(read(fds[0], data, 100) == 100);
    usleep(20000);
    close(fds[0]);
    wait_and_show("writer", child);
    return 0;
}
