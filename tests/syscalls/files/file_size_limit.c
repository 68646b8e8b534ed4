/* RLIMIT_FSIZE: short counts up to the limit, then EFBIG and SIGXFSZ; pipes have no limit. */
#include "guest.h"
#include <sys/resource.h>

static volatile int signals;

static void count(int signal UNUSED) { signals++; }

int main(void) {
    struct rlimit limit = {10, 20};
    signal(SIGXFSZ, count);
    int fd = SHOW(open("file", O_RDWR | O_CREAT, 0600));
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    SHOW(write(fd, "01234567", 8));
    SHOW(write(fd, "01234567", 8));
    SHOW(signals);
    SHOW(write(fd, "01234567", 8));
    SHOW(signals);
    SHOW(write(fd, "", 0));
    SHOW(signals);
    SHOW(pwrite(fd, "abcdef", 6, 7));
    SHOW(pwrite(fd, "abcdef", 6, 10));
    SHOW(ftruncate(fd, 10));
    SHOW(ftruncate(fd, 11));
    SHOW(truncate("file", 11));
    SHOW(fallocate(fd, 0, 5, 6));
    SHOW(signals);
    SHOW(posix_fallocate(fd, 0, 10));
    show_file("file");
    int fds[2];
    CHECK(pipe(fds) == 0);
    SHOW(write(fds[1], "0123456789012345", 16));
    signal(SIGXFSZ, SIG_DFL);
    pid_t child = fork();
    if (child == 0) {
        lseek(fd, 10, SEEK_SET);
        write(fd, "x", 1);
        _exit(0);
    }
    wait_and_show("child", child);
    return 0;
}
