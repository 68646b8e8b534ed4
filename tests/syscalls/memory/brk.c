/* brk(2): grow, shrink, zeros again after shrinking, refusals that leave it where it is. */
// guest: cflags = -static
#include "guest.h"

int main(void) {
    char *start = (char *)syscall(SYS_brk, 0);
    SHOW(syscall(SYS_brk, start + 100000) == (long)(start + 100000));
    memset(start, 'x', 100000);
    SHOW(syscall(SYS_brk, start + 4096 * 3) == (long)(start + 4096 * 3));
    SHOW(syscall(SYS_brk, start + 100000) == (long)(start + 100000));
    printf("%c %d\n", start[10], start[90000]);
    SHOW(syscall(SYS_brk, 8) == (long)(start + 100000));
    SHOW(syscall(SYS_brk, -8) == (long)(start + 100000));
    SHOW(syscall(SYS_brk, start) == (long)start);
    char *block = sbrk(1 << 22);
    SHOW(block != (void *)-1);
    block[(1 << 22) - 1] = 1;
    pid_t child = fork();
    if (child == 0) {
        SHOW(sbrk(4096) == block + (1 << 22));
        _exit(0);
    }
    wait_and_show("child", child);
    SHOW(sbrk(0) == block + (1 << 22));
    return 0;
}
