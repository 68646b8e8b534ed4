/* mprotect(2): rights take effect, ranges split, code written at run time runs. */
#include "guest.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int number) {
    siglongjmp(back, number);
}

static void try_write(volatile char *address) {
    if (sigsetjmp(back, 1) == 0) {
        *address = 1;
        puts("written");
    } else {
        puts("fault");
    }
}

int main(void) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
    char *area = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    SHOW(mprotect(area + 4096, 4096, PROT_READ));
    try_write(area);
    try_write(area + 4096);
    try_write(area + 8192);
    SHOW(mprotect(area + 1, 4096, PROT_READ));
    SHOW(mprotect(area, 4096, 0x1000));
    SHOW(mprotect(area, 0, PROT_READ));
    SHOW(munmap(area + 3 * 4096, 4096));
    SHOW(mprotect(area, 4 * 4096, PROT_READ));
    try_write(area + 8192);
    unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    SHOW(mprotect(area, 4096, PROT_READ | PROT_WRITE));
    memcpy(area, code, sizeof code);
    SHOW(mprotect(area, 4096, PROT_READ | PROT_EXEC));
    SHOW(((int (*)(void))area)());
    try_write(area);
    put_file("file", "x");
    int fd = open("file", O_RDONLY);
    char *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    SHOW(mprotect(shared, 4096, PROT_READ | PROT_WRITE));
    SHOW(mprotect((void *)(1L << 40), 4096, PROT_READ));
    return 0;
}
