/* dup(2) shares offset and status flags, not the close-on-exec flag; open does not share. */
#include "guest.h"

int main(void) {
    put_file("file", "0123456789");
    int fd = SHOW(open("file", O_RDWR));
    int same = SHOW(dup(fd));
    int other = SHOW(open("file", O_RDONLY));
    char data[4];
    SHOW(read(fd, data, 3));
    SHOW(lseek(same, 0, SEEK_CUR));
    SHOW(lseek(other, 0, SEEK_CUR));
    SHOW(fcntl(same, F_SETFL, O_APPEND));
    SHOW((fcntl(fd, F_GETFL) & O_APPEND) != 0);
    SHOW(fcntl(same, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(dup2(fd, 20));
    SHOW(dup2(fd, fd));
    SHOW(dup2(99, 21));
    SHOW(dup2(99, 99));
    SHOW(dup2(fd, -1));
    SHOW(dup2(fd, 1 << 30));
    SHOW(dup3(fd, 22, O_CLOEXEC));
    SHOW(fcntl(22, F_GETFD));
    SHOW(dup3(fd, fd, 0));
    SHOW(dup3(fd, 23, O_APPEND));
    SHOW(fcntl(fd, F_DUPFD, 30));
    SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 30));
    SHOW(fcntl(31, F_GETFD));
    SHOW(fcntl(fd, F_DUPFD, -1));
    SHOW(close(fd));
    SHOW(read(20, data, 4));
    SHOW(dup(fd));
    SHOW(dup(same));
    return 0;
}
