/* Calls that mean something for some kinds of descriptors: what they say of the others. */
#include "guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static void positions(int fd) {
    char buffer[8];
    SHOW(lseek(fd, 5, SEEK_SET));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, 0, 99));
    SHOW(lseek(fd, 0, -1));
    SHOW(pread(fd, buffer, 0, 0));
    SHOW(pread(fd, buffer, 8, -1));
    SHOW(pwrite(fd, buffer, 0, 0));
    SHOW(pwrite(fd, buffer, 8, -1));
}

static void storage(int fd) {
    SHOW(ftruncate(fd, 0));
    SHOW(fsync(fd));
    SHOW(fdatasync(fd));
    SHOW(syncfs(fd));
    SHOW(sync_file_range(fd, 0, 0, 7));
    SHOW(sync_file_range(fd, 0, 0, 8));
    SHOW(sync_file_range(fd, -1, 0, 7));
    SHOW(fallocate(fd, 0, 0, 5));
    SHOW(fallocate(fd, 0, -1, 5));
    SHOW(fallocate(fd, 0, 0, 0));
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
    SHOW(posix_fadvise(fd, 0, 0, 99));
    SHOW(readahead(fd, 0, 5));
}

static void control(int fd) {
    SHOW(fchdir(fd));
    struct flock lock = {.l_type = F_WRLCK};
    SHOW(fcntl(fd, F_SETLK, &lock));
    SHOW(fcntl(fd, F_GETPIPE_SZ) > 0);
    SHOW(fcntl(fd, F_GETLEASE));
    SHOW(fcntl(fd, F_GETSIG));
    SHOW(fcntl(fd, F_SETSIG, 65));
    SHOW(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND));
    printf("flags %o\n", fcntl(fd, F_GETFL) & ~(0100000 | O_DIRECTORY));
    SHOW(fcntl(fd, F_SETFL, O_DIRECT));
    uint64_t hint = 2;
    SHOW(fcntl(fd, F_GET_RW_HINT, NULL));
    SHOW(fcntl(fd, F_SET_RW_HINT, NULL));
    SHOW(fcntl(fd, F_SET_RW_HINT, &hint));
    hint = 6;
    SHOW(fcntl(fd, F_SET_RW_HINT, &hint));
    SHOW(fcntl(fd, F_GET_RW_HINT, &hint));
    printf("hint %lu\n", (unsigned long)hint);
    SHOW(fcntl(fd, 999, 0));
}

int main(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int ends[2], pair[2];
    CHECK(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    put_file("file", "some text");
    struct {
        const char *name;
        int fd;
    } kinds[] = {
        {"eventfd", eventfd(0, EFD_NONBLOCK)},
        {"timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)},
        {"signalfd", signalfd(-1, &signals, SFD_NONBLOCK)},
        {"epoll", epoll_create1(0)},
        {"inotify", inotify_init1(IN_NONBLOCK)},
        {"pipe, to read", ends[0]},
        {"pipe, to write", ends[1]},
        {"socket", pair[0]},
        {"null", open("/dev/null", O_RDWR)},
        {"zero", open("/dev/zero", O_RDWR)},
        {"a place", open("file", O_PATH)},
        {"file to read", open("file", O_RDONLY)},
        {"file to write", open("file", O_WRONLY)},
    };
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        printf("%s:\n", kinds[i].name);
        CHECK(kinds[i].fd >= 0);
        positions(kinds[i].fd);
        storage(kinds[i].fd);
        control(kinds[i].fd);
    }
    int status = open("/proc/self/status", O_RDONLY);
    printf("file of proc:\n");
    storage(status);
    control(status);
    int directory = open(".", O_RDONLY);
    printf("directory:\n");
    storage(directory);
    control(directory);
    SHOW(pread(directory, ends, 4, 0));
    SHOW_OK(open("/dev/null", O_RDWR | O_DIRECT));
    SHOW_OK(open(".", O_RDONLY | O_DIRECT));
    SHOW_OK(open("/proc/self/status", O_RDONLY | O_DIRECT));
    SHOW_OK(open("file", O_RDONLY | O_DIRECT));
}
