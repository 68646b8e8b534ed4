/* /dev/null, zero, full, random: what reading and writing them does. */
#include "guest.h"

int main(void) {
    char data[64];
    int null = SHOW(open("/dev/null", O_RDWR));
    SHOW(read(null, data, 10));
    SHOW(write(null, data, 10));
    SHOW(lseek(null, 5, SEEK_SET));
    int zero = SHOW(open("/dev/zero", O_RDWR));
    memset(data, 'x', sizeof data);
    SHOW(read(zero, data, 10));
    SHOW(data[0] == 0 && data[9] == 0 && data[10] == 'x');
    SHOW(write(zero, data, 10));
    int full = SHOW(open("/dev/full", O_RDWR));
    SHOW(read(full, data, 10));
    SHOW(write(full, data, 10));
    int random = SHOW(open("/dev/urandom", O_RDONLY));
    char more[64];
    SHOW(read(random, data, 64));
    SHOW(read(random, more, 64));
    SHOW(memcmp(data, more, 64) != 0);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    CHECK(map != MAP_FAILED);
    SHOW(map[5000]);
    map[5000] = 3;
    SHOW(map[5000]);
    SHOW(mmap(NULL, 8192, PROT_READ, MAP_PRIVATE, null, 0) == MAP_FAILED);
    int fd = SHOW(open("/dev/fd/0", O_RDONLY) >= 0);
    (void)fd;
    SHOW(access("/dev/tty", F_OK));
    SHOW(open("/dev/tty", O_RDWR));
    SHOW(access("/dev/shm", W_OK));
    SHOW(access("/dev/pts", F_OK));
    SHOW(access("/dev/ptmx", F_OK));
    return 0;
}
