/* readv(2), writev(2), preadv(2), pwritev2(2): order, short ends, limits and faults. */
#include "guest.h"
#include <limits.h>
#include <sys/uio.h>

int main(void) {
    int fd = SHOW(open("file", O_RDWR | O_CREAT, 0600));
    struct iovec parts[3] = {{"abc", 3}, {"", 0}, {"defgh", 5}};
    SHOW(writev(fd, parts, 3));
    SHOW(pwritev(fd, parts, 1, 2));
    show_file("file");
    SHOW(lseek(fd, 0, SEEK_SET));
    char one[4] = "", two[16] = "";
    struct iovec into[2] = {{one, 2}, {two, 15}};
    SHOW(readv(fd, into, 2));
    printf("%s %s\n", one, two);
    SHOW(preadv(fd, into, 2, 4));
    printf("%s %s\n", one, two);
    SHOW(preadv2(fd, into, 2, 0, 0));
    SHOW(preadv2(fd, into, 2, 0, 0x40000000));
    SHOW(readv(fd, into, -1));
    SHOW(readv(fd, into, IOV_MAX + 1));
    SHOW(readv(fd, into, 0));
    struct iovec large[2] = {{one, SSIZE_MAX}, {two, SSIZE_MAX}};
    SHOW(readv(fd, large, 2));
    struct iovec faulty[2] = {{one, 2}, {(void *)8, 8}};
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(readv(fd, faulty, 2));
    SHOW(readv(fd, (void *)8, 1));
    SHOW(read(fd, (void *)8, 4));
    SHOW(write(fd, (void *)8, 4));
    SHOW(read(fd, NULL, 0));
    SHOW(write(fd, NULL, 0));
    SHOW(writev(77, parts, 1));
    SHOW(pread(fd, one, 1, -1));
    SHOW(pwrite(fd, one, 1, -1));
    return 0;
}
