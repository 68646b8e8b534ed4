/* fallocate(2): grow, keep the size, punch holes, zero; and what cannot be allocated. */
#include "guest.h"

static void show(int fd) {
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    char data[12] = "";
    long count = pread(fd, data, sizeof data, 0);
    printf("size %ld:", (long)status.st_size);
    for (long i = 0; i < count; i++)
        putchar(data[i] ? data[i] : '.');
    putchar('\n');
}

int main(void) {
    put_file("file", "0123456789");
    int fd = SHOW(open("file", O_RDWR));
    SHOW(fallocate(fd, 0, 0, 5));
    show(fd);
    SHOW(fallocate(fd, 0, 8, 8));
    show(fd);
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100000));
    show(fd);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 3));
    show(fd);
    SHOW(fallocate(fd, 0, 0, 0));
    SHOW(fallocate(fd, 0, -1, 5));
    SHOW(posix_fallocate(fd, 0, 20));
    show(fd);
    int reader = SHOW(open("file", O_RDONLY));
    SHOW(fallocate(reader, 0, 0, 5));
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    SHOW(fallocate(pipes[1], 0, 0, 5));
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
    SHOW(posix_fadvise(pipes[0], 0, 0, POSIX_FADV_SEQUENTIAL) == ESPIPE);
    SHOW(fsync(fd));
    SHOW(fdatasync(fd));
    SHOW(fsync(pipes[0]));
    SHOW(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
    SHOW(readahead(fd, 0, 10));
    return 0;
}
