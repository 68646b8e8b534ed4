/* truncate(2), ftruncate(2): growing leaves zeros, shrinking forgets, the offset stays. */
#include "guest.h"

static void size(const char *path) {
    struct stat status;
    CHECK(stat(path, &status) == 0);
    printf("size %ld\n", (long)status.st_size);
}

int main(void) {
    put_file("file", "0123456789");
    SHOW(truncate("file", 4));
    size("file");
    SHOW(truncate("file", 8));
    size("file");
    int fd = SHOW(open("file", O_RDWR));
    char data[16];
    SHOW(read(fd, data, sizeof data));
    SHOW(memcmp(data, "0123\0\0\0\0", 8));
    SHOW(ftruncate(fd, 2));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(write(fd, "x", 1));
    size("file");
    SHOW(ftruncate(fd, -1));
    SHOW(truncate("missing", 1));
    SHOW(mkdir("directory", 0755));
    SHOW(truncate("directory", 1));
    int reader = SHOW(open("file", O_RDONLY));
    SHOW(ftruncate(reader, 1));
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    SHOW(ftruncate(pipes[1], 1));
    SHOW(ftruncate(99, 1));
    SHOW(ftruncate(fd, 5L << 30));
    size("file");
    SHOW(lseek(fd, (5L << 30) - 1, SEEK_SET));
    SHOW(read(fd, data, 8));
    printf("%d\n", data[0]);
    return 0;
}
