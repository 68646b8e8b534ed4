/* A pipe: order, short reads, end of file when the last writer is gone, also one inherited. */
#include "guest.h"

int main(void) {
    int fds[2];
    char data[16] = "";
    SHOW(pipe(fds));
    SHOW(write(fds[1], "hello", 5));
    SHOW(write(fds[1], "world", 5));
    SHOW(read(fds[0], data, 7));
    puts(data);
    memset(data, 0, sizeof data);
    SHOW(read(fds[0], data, 16));
    puts(data);
    SHOW(read(fds[1], data, 1));
    SHOW(write(fds[0], data, 1));
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        usleep(20000);
        CHECK(write(fds[1], "late", 4) == 4);
        _exit(0);
    }
    SHOW(close(fds[1]));
    memset(data, 0, sizeof data);
    SHOW(read(fds[0], data, 16));
    puts(data);
    SHOW(read(fds[0], data, 16));
    SHOW(read(fds[0], data, 16));
    wait_and_show("child", child);
    return 0;
}
