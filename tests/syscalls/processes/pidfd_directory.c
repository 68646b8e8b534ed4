/* A descriptor of /proc/PID serves pidfd_send_signal; one of another directory does not. */
#include "guest.h"

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    char name[64];
    snprintf(name, sizeof name, "/proc/%d", child);
    int fd = open(name, O_DIRECTORY | O_CLOEXEC);
    CHECK(fd >= 0);
    SHOW(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    SHOW(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
    wait_and_show("child", child);
    SHOW(syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
    SHOW(syscall(SYS_pidfd_send_signal, open("/proc", O_DIRECTORY), 0, NULL, 0));
    return 0;
}
