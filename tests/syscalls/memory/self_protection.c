/* A program may unmap, remap and protect everything it has, and can still make calls. */
// guest: cflags = -static
#include "guest.h"
#include <sys/prctl.h>

int main(void) {
    SHOW(mmap((void *)0x10000, 1 << 20, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (void *)0x10000 ||
         errno != 0);
    SHOW(munmap((void *)0x7000000000, 1L << 36));
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps);
    char line[512];
    int vdso = 0, stacks = 0, heaps = 0, bad = 0;
    unsigned long start, end, previous = 0;
    char rights[5];
    while (fgets(line, sizeof line, maps)) {
        CHECK(sscanf(line, "%lx-%lx %4s", &start, &end, rights) == 3);
        bad += start >= end || start < previous;
        previous = end;
        vdso += strstr(line, "[vdso]") != NULL;
        stacks += strstr(line, "[stack]") != NULL;
        heaps += strstr(line, "[heap]") != NULL;
    }
    printf("vdso %d stack %d heap %d bad %d\n", vdso, stacks, heaps, bad);
    SHOW(getppid() >= 0);
    return 0;
}
