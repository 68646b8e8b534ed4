/* Reads and writes of many megabytes, in one call and over the ends of files and pipes. */
#include "guest.h"
#include <sys/uio.h>

#define SIZE (9 << 20)

int main(void) {
    char *data = malloc(SIZE), *back = calloc(1, SIZE);
    CHECK(data && back);
    for (int i = 0; i < SIZE; i++)
        data[i] = i * 7 + i / 4096;
    int fd = SHOW(open("file", O_RDWR | O_CREAT, 0600));
    SHOW(write(fd, data, SIZE));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read(fd, back, SIZE));
    SHOW(memcmp(data, back, SIZE));
    SHOW(read(fd, back, SIZE));
    SHOW(pread(fd, back, SIZE, SIZE - 5));
    SHOW(pread(fd, back, SIZE - 100, 100));
    SHOW(memcmp(data + 100, back, SIZE - 100));
    SHOW(pwrite(fd, data, SIZE, 1 << 20));
    SHOW(lseek(fd, 0, SEEK_END));
    struct iovec parts[3] = {{data, 3 << 20}, {data + (3 << 20), 1}, {data + (3 << 20) + 1, 5 << 20}};
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(writev(fd, parts, 3));
    memset(back, 0, SIZE);
    struct iovec into[2] = {{back, 5 << 20}, {back + (5 << 20), 3 << 20}};
    SHOW(preadv(fd, into, 2, 0));
    SHOW(memcmp(data, back, 8 << 20));
    /* More is claimed than is there: what is there counts. */
    SHOW(read(fd, back, 1UL << 40) <= SIZE);
    SHOW(pread(fd, back, SIZE, 1L << 40));
    SHOW(read(fd, back, -1L));
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        _exit(write(fds[1], data, SIZE) == SIZE ? 0 : 1);
    }
    close(fds[1]);
    long total = 0, got;
    while ((got = read(fds[0], back + total, SIZE - total)) > 0)
        total += got;
    SHOW(total);
    SHOW(memcmp(data, back, SIZE));
    wait_and_show("writer", child);
    return 0;
}
