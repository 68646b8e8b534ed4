/* A lock that blocks is granted when the holder lets go or dies. */
#include "guest.h"
#include <sys/file.h>

int main(void) {
    put_file("file", "x");
    for (int kind = 0; kind < 2; kind++) {
        int ready[2];
        CHECK(pipe(ready) == 0);
        pid_t holder = fork();
        if (holder == 0) {
            int fd = open("file", O_RDWR);
            struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
            CHECK(kind ? flock(fd, LOCK_EX) == 0 : fcntl(fd, F_SETLKW, &lock) == 0);
            CHECK(write(ready[1], "x", 1) == 1);
            usleep(100000);
            _exit(7);
        }
        char byte;
        CHECK(read(ready[0], &byte, 1) == 1);
        int fd = open("file", O_RDWR);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (kind)
            SHOW(flock(fd, LOCK_EX));
        else
            SHOW(fcntl(fd, F_SETLKW, &lock));
        wait_and_show("holder", holder);
        close(fd);
    }
    return 0;
}
