/* eventfd(2): counting, semaphores, overflow, blocking between processes. */
#include "guest.h"
#include <sys/eventfd.h>

int main(void) {
    int fd = SHOW(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));
    uint64_t value = 0;
    SHOW(read(fd, &value, 8));
    SHOW(value);
    SHOW(read(fd, &value, 8));
    value = 5;
    SHOW(write(fd, &value, 8));
    SHOW(write(fd, &value, 8));
    SHOW(read(fd, &value, 8));
    SHOW(value);
    SHOW(read(fd, &value, 4));
    SHOW(write(fd, &value, 4));
    value = UINT64_MAX;
    SHOW(write(fd, &value, 8));
    value = UINT64_MAX - 1;
    SHOW(write(fd, &value, 8));
    value = 1;
    SHOW(write(fd, &value, 8));
    int semaphore = SHOW(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
    SHOW(read(semaphore, &value, 8));
    SHOW(value);
    SHOW(read(semaphore, &value, 8));
    SHOW(read(semaphore, &value, 8));
    int blocking = SHOW(eventfd(0, 0));
    pid_t child = fork();
    if (child == 0) {
        usleep(20000);
        value = 9;
        CHECK(write(blocking, &value, 8) == 8);
        _exit(0);
    }
    SHOW(read(blocking, &value, 8));
    SHOW(value);
    wait_and_show("child", child);
    SHOW(eventfd(0, 0x8));
    SHOW(lseek(fd, 0, SEEK_SET) == -1 ? errno == ESPIPE : 1);
    return 0;
}
