/* sysfs(2)'s errors, vhangup(2) without a terminal and without the right to. */
#include "guest.h"

int main(void) {
    char name[64] = "";
    SHOW(syscall(SYS_sysfs, 100, 0, 0));
    SHOW(syscall(SYS_sysfs, 3, 0, 0) > 3);
    SHOW(syscall(SYS_sysfs, 1, "no such type", 0));
    SHOW(syscall(SYS_sysfs, 1, NULL, 0));
    SHOW(syscall(SYS_sysfs, 2, 100000, name));
    SHOW(syscall(SYS_sysfs, 2, 0, NULL));
    long index = syscall(SYS_sysfs, 1, "proc", 0);
    SHOW(syscall(SYS_sysfs, 2, index, name));
    puts(name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        SHOW(syscall(SYS_vhangup));
        CHECK(setuid(65534) == 0);
        SHOW(syscall(SYS_vhangup));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, 0, 0);
    return 0;
}
