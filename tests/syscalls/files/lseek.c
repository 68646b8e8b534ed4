/* lseek(2): whence, offsets beyond the end and before the start, holes, what cannot seek. */
#include "guest.h"

int main(void) {
    int fd = SHOW(open("file", O_RDWR | O_CREAT, 0600));
    SHOW(lseek(fd, 10, SEEK_SET));
    SHOW(write(fd, "end", 3));
    SHOW(lseek(fd, -3, SEEK_END));
    SHOW(lseek(fd, -4, SEEK_CUR));
    SHOW(lseek(fd, -20, SEEK_CUR));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, 0, 77));
    SHOW(lseek(fd, 1000, SEEK_END));
    SHOW(read(fd, (char[1]){0}, 1));
    char data[13];
    SHOW(pread(fd, data, sizeof data, 0));
    SHOW(memcmp(data, "\0\0\0\0\0\0\0\0\0\0end", 13));
    SHOW(lseek(fd, 0, SEEK_DATA) >= 0);
    SHOW(lseek(fd, 0, SEEK_HOLE) >= 0);
    SHOW(lseek(fd, 13, SEEK_DATA));
    SHOW(lseek(fd, 13, SEEK_HOLE));
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    SHOW(lseek(pipes[0], 0, SEEK_CUR));
    SHOW(pread(pipes[0], data, 1, 0));
    SHOW(lseek(77, 0, SEEK_SET));
    return 0;
}
