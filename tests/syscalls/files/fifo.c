/* A named pipe: opening waits for the other side, non-blocking opening does not. */
#include "guest.h"

int main(void) {
    SHOW(mkfifo("fifo", 0600));
    SHOW(mkfifo("fifo", 0600));
    SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
    int idle = SHOW(open("fifo", O_RDONLY | O_NONBLOCK));
    char data[8] = "";
    SHOW(read(idle, data, 8));
    int writer = SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
    SHOW(read(idle, data, 8));
    SHOW(write(writer, "hi", 2));
    SHOW(read(idle, data, 8));
    SHOW(close(writer));
    SHOW(read(idle, data, 8));
    SHOW(close(idle));
    pid_t child = fork();
    if (child == 0) {
        int fd = open("fifo", O_WRONLY);
        CHECK(write(fd, "hello", 5) == 5);
        _exit(0);
    }
    int reader = open("fifo", O_RDONLY);
    CHECK(reader >= 0);
    SHOW(read(reader, data, 8));
    SHOW(read(reader, data, 8));
    puts(data);
    wait_and_show("child", child);
    SHOW(lseek(reader, 0, SEEK_SET));
    int both = SHOW(open("fifo", O_RDWR)) >= 0;
    SHOW(both);
    return 0;
}
