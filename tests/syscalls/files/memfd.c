/* memfd_create(2): a file without a name, and seals that hold. */
#include "guest.h"

int main(void) {
    int fd = SHOW(memfd_create("name", MFD_ALLOW_SEALING | MFD_CLOEXEC));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(write(fd, "hello", 5));
    SHOW(ftruncate(fd, 100));
    char *map = mmap(NULL, 100, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    puts(map);
    SHOW(pwrite(fd, "J", 1, 0));
    puts(map);
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
    SHOW(ftruncate(fd, 50));
    SHOW(ftruncate(fd, 200));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    SHOW(write(fd, "x", 1));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    int plain = SHOW(memfd_create("plain", 0));
    SHOW(fcntl(plain, F_GET_SEALS));
    SHOW(memfd_create("x", 0x8000));
    char link[64] = "", path[64];
    sprintf(path, "/proc/self/fd/%d", plain);
    SHOW(readlink(path, link, sizeof link - 1));
    puts(link);
    return 0;
}
