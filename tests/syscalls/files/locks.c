/* flock(2) belongs to the open file; fcntl(2) locks belong to the process, ranges split. */
#include "guest.h"
#include <sys/file.h>

static int set(int fd, int type, long start, long length) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, F_SETLK, &lock);
}

static void get(int fd, int type, long start, long length) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    SHOW(fcntl(fd, F_GETLK, &lock));
    if (lock.l_type == F_UNLCK)
        puts("free");
    else
        printf("type %d start %ld length %ld by parent %d\n", lock.l_type, (long)lock.l_start,
               (long)lock.l_len, lock.l_pid == getppid());
}

int main(void) {
    put_file("file", "0123456789");
    int fd = SHOW(open("file", O_RDWR));
    int other = SHOW(open("file", O_RDWR));
    SHOW(flock(fd, LOCK_SH));
    SHOW(flock(other, LOCK_SH | LOCK_NB));
    SHOW(flock(other, LOCK_EX | LOCK_NB));
    SHOW(flock(fd, LOCK_UN));
    SHOW(flock(other, LOCK_EX | LOCK_NB));
    SHOW(flock(dup(fd), LOCK_SH | LOCK_NB));
    SHOW(flock(other, LOCK_UN));
    SHOW(set(fd, F_WRLCK, 0, 10));
    SHOW(set(other, F_WRLCK, 5, 2)); /* the same process: no conflict */
    SHOW(set(fd, F_UNLCK, 4, 2));
    pid_t child = fork();
    if (child == 0) {
        get(fd, F_WRLCK, 0, 3);
        get(fd, F_RDLCK, 4, 2);
        get(fd, F_WRLCK, 6, 0);
        SHOW(set(fd, F_RDLCK, 0, 1));
        SHOW(set(fd, F_WRLCK, 4, 1));
        _exit(0);
    }
    wait_and_show("child", child);
    SHOW(close(other)); /* closing any descriptor of the file drops the locks of the process */
    child = fork();
    if (child == 0) {
        get(fd, F_WRLCK, 0, 0);
        _exit(0);
    }
    wait_and_show("child", child);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    SHOW(fcntl(fd, F_OFD_SETLK, &lock));
    int third = open("file", O_RDWR);
    SHOW(fcntl(third, F_OFD_SETLK, &lock));
    return 0;
}
