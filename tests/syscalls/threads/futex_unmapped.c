/* Waking futexes in memory that is not there: a shared one is found by its page, a private by address. */
#include "guest.h"

int main(void) {
    int *gone = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *here = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    munmap(gone, 4096);
    SHOW(syscall(SYS_futex, gone, 1, 1, 0, 0, 0));
    SHOW(syscall(SYS_futex, gone, 1 | 128, 1, 0, 0, 0));
    SHOW(syscall(SYS_futex, here, 1, 1, 0, 0, 0));
    SHOW(syscall(SYS_futex, here, 3, 1, 1, gone, 0));
    SHOW(syscall(SYS_futex, here, 3, 1, 1, here, 0));
    SHOW(mprotect(here, 4096, PROT_NONE));
    SHOW(syscall(SYS_futex, here, 1, 1, 0, 0, 0));
    return 0;
}
