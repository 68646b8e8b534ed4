/* mmap(2): private, shared, anonymous, of a file; what is written where; what is refused. */
#include "guest.h"

#define FAILS(expression)                                                                         \
    do {                                                                                          \
        errno = 0;                                                                                \
        void *map_ = (expression);                                                                \
        printf("%s: %s\n", #expression, map_ == MAP_FAILED ? errno_name(errno) : "mapped");       \
    } while (0)

int main(void) {
    put_file("file", "0123456789");
    int fd = open("file", O_RDWR), reader = open("file", O_RDONLY);
    char *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, reader, 0);
    char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(private != MAP_FAILED && shared != MAP_FAILED);
    private[0] = 'P';
    shared[1] = 'S';
    shared[20] = 'X'; /* beyond the end: not in the file */
    SHOW(msync(shared, 4096, MS_SYNC));
    show_file("file");
    printf("%.10s %.10s\n", private, shared);
    SHOW(pwrite(fd, "W", 1, 2));
    printf("%c %c\n", private[2] == 'W' || private[2] == '2' ? '?' : '!', shared[2]);
    SHOW(close(fd));
    shared[3] = 'T';
    show_file("file");
    SHOW(munmap(shared, 4096));
    SHOW(munmap(shared, 4096));
    SHOW(munmap(shared + 1, 4096));
    SHOW(munmap(shared, 0));
    FAILS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    FAILS(mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0));
    FAILS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 77, 0));
    FAILS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, reader, 100));
    FAILS(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, reader, 0));
    FAILS(mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE, reader, 0));
    FAILS(mmap(NULL, ~0UL - 8191, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    FAILS(mmap((void *)4097, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    int directory = open(".", O_RDONLY);
    FAILS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, directory, 0));
    int writer = open("file", O_WRONLY);
    FAILS(mmap(NULL, 4096, PROT_READ, MAP_SHARED, writer, 0));
    int path = open("file", O_PATH);
    FAILS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, path, 0));
    char *zeros = mmap(NULL, 1 << 24, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    long sum = 0;
    for (int i = 0; i < 1 << 24; i += 4096)
        sum += zeros[i];
    SHOW(sum);
    char *populated = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    SHOW(populated[4096]);
    char *low = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    SHOW((uintptr_t)low < 1UL << 32);
    return 0;
}
