/* mlock(2), mlock2(2), MAP_LOCKED: what VmLck counts, and what msync refuses; guard pages. */
#include "guest.h"
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static long locked(void) {
    char line[256];
    long value = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status))
        sscanf(line, "VmLck: %ld", &value);
    fclose(status);
    return value;
}

int main(void) {
    char *memory = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW(locked());
    SHOW(mlock(memory, 8192));
    SHOW(locked());
    SHOW(syscall(SYS_mlock2, memory + 8192, 4096, 1));
    SHOW(syscall(SYS_mlock2, memory, 4096, 2));
    SHOW(locked());
    SHOW(munlock(memory, 65536));
    SHOW(locked());
    char *other = mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
    SHOW(locked());
    SHOW(msync(other, 16384, MS_INVALIDATE));
    SHOW(munmap(other, 16384));
    SHOW(locked());
    SHOW(mmap(0, 4096, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS | 0x800000, -1, 0) == MAP_FAILED);
    SHOW(mmap(0, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | 0x800000, -1, 0) == MAP_FAILED);
    return 0;
}
