/* Large reads and writes that end early: bad memory, the end of the file, limits, appending. */
#include "guest.h"
#include <sys/resource.h>

#define HALF (1 << 20)
#define WHOLE (2 * HALF)

static char *half_bad(int protection) {
    char *data = mmap(NULL, WHOLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(data != MAP_FAILED);
    memset(data, 'h', WHOLE);
    CHECK(mprotect(data + HALF, HALF, protection) == 0);
    return data;
}

static void show_place(int fd) {
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    printf("position %ld of %ld\n", (long)lseek(fd, 0, SEEK_CUR), (long)status.st_size);
}

int main(void) {
    char *closed = half_bad(PROT_NONE), *constant = half_bad(PROT_READ);
    char *data = malloc(WHOLE);
    memset(data, 'd', WHOLE);
    int fd = SHOW(open("file", O_RDWR | O_CREAT, 0600));
    SHOW(write(fd, closed, WHOLE));
    show_place(fd);
    SHOW(write(fd, closed + HALF, HALF));
    SHOW(pwrite(fd, closed + 1, WHOLE - 1, 3 << 20));
    SHOW(write(fd, constant, WHOLE));
    show_place(fd);
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read(fd, closed, WHOLE));
    SHOW(read(fd, constant, WHOLE));
    SHOW(read(fd, constant + HALF, HALF));
    show_place(fd);
    SHOW(pread(fd, closed + 1, WHOLE - 1, 100));
    SHOW(pread(fd, (char *)4096, WHOLE, 0));
    SHOW(pread(fd, (char *)-4096L, WHOLE, 0));
    SHOW(pread(fd, data, WHOLE, -1));
    SHOW(pread(fd, data, WHOLE, 0x7ffffffffffffff0));
    SHOW(pwrite(fd, data, WHOLE, 0x7ffffffffffffff0));
    SHOW(pread(fd, data, WHOLE, (4 << 20) - 1000));

    int reader = SHOW(open("file", O_RDONLY)), writer = SHOW(open("file", O_WRONLY | O_APPEND));
    SHOW(write(reader, data, WHOLE));
    SHOW(read(writer, data, WHOLE));
    SHOW(pwrite(writer, data, HALF, 0));
    show_place(writer);
    SHOW(write(writer, data, HALF));
    show_place(writer);

    struct rlimit limit = {7 << 20, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    SHOW(pwrite(fd, data, WHOLE, 6 << 20));
    SHOW(pwrite(fd, data, WHOLE, 7 << 20));
    limit.rlim_cur = RLIM_INFINITY;
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);

    /* A write takes the set-id bits away, a mapping of the file shows it. */
    SHOW(fchmod(fd, 06777));
    char *map = mmap(NULL, HALF, PROT_READ, MAP_SHARED, fd, 0);
    SHOW(pwrite(fd, data, HALF, 0));
    printf("%c %c\n", map[0], map[HALF - 1]);
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    printf("%o\n", status.st_mode & 07777);
    /* From the file into itself. */
    char *own = mmap(NULL, HALF, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    SHOW(pread(fd, own, HALF, HALF));
    SHOW(pwrite(fd, own, HALF, 2 * HALF));
    printf("%c %c\n", own[0], map[HALF - 1]);
    return 0;
}
