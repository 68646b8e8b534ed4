/* Addresses that a call cannot read or write: EFAULT, and what was done before it. */
#include "guest.h"
#include <sys/utsname.h>

int main(void) {
    char *area = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED && munmap(area + 4096, 4096) == 0);
    int fds[2];
    CHECK(pipe(fds) == 0);
    memset(area, 'x', 4096);
    char *edge = area + 4096 - 5;
    SHOW(write(fds[1], edge, 5));
    SHOW(write(fds[1], edge, 100));
    char all[200];
    SHOW(read(fds[0], all, 200));
    SHOW(write(fds[1], "0123456789", 10));
    SHOW(read(fds[0], edge, 10));
    SHOW(fcntl(fds[0], F_SETFL, O_NONBLOCK));
    SHOW(syscall(SYS_uname, edge));
    SHOW(syscall(SYS_pipe, area + 4096 - 4));
    strcpy(area + 4096 - 4, "abc");
    SHOW(open(area + 4096 - 4, O_RDONLY));
    area[4095] = 'd';
    SHOW(open(area + 4096 - 4, O_RDONLY));
    SHOW(syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8));
    SHOW(syscall(SYS_nanosleep, (void *)8, NULL));
    SHOW(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8));
    SHOW(syscall(SYS_stat, ".", area + 4096 - 8));
    SHOW(syscall(SYS_getcwd, (void *)8, 4096));
    SHOW(syscall(SYS_poll, (void *)8, 1, 0));
    CHECK(mprotect(area, 4096, PROT_READ) == 0);
    SHOW(syscall(SYS_getrandom, area, 10, 0));
    SHOW(syscall(SYS_getrandom, 0xffff800000000000, 10, 0));
    return 0;
}
