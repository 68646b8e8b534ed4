/* mremap(2): grow in place or move, shrink, fixed target, keep the contents. */
#include "guest.h"

int main(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *area = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
    CHECK(area != MAP_FAILED);
    for (int i = 0; i < 16; i++)
        area[i * 4096] = 'a' + i;
    SHOW(mremap(area, 16 * 4096, 8 * 4096, 0) == area);
    SHOW(mmap(area + 8 * 4096, 4096, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0) ==
         area + 8 * 4096);
    SHOW(mremap(area, 8 * 4096, 16 * 4096, 0) == MAP_FAILED && errno == ENOMEM);
    char *moved = mremap(area, 8 * 4096, 16 * 4096, MREMAP_MAYMOVE);
    SHOW(moved != MAP_FAILED && moved != area);
    printf("%c %c %d\n", moved[0], moved[7 * 4096], moved[8 * 4096]);
    char *target = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
    SHOW(mremap(moved, 4 * 4096, 4 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    printf("%c %c\n", target[0], target[3 * 4096]);
    SHOW(mremap(target, 4096, 8192, MREMAP_FIXED, area) == MAP_FAILED && errno == EINVAL);
    SHOW(mremap(target + 1, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
    SHOW(mremap(target, 4096, 0, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
    SHOW(munmap(target, 4 * 4096));
    SHOW(mremap(target, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    char *large = malloc(1 << 20);
    memset(large, 'x', 1 << 20);
    large = realloc(large, 1 << 26);
    SHOW(large[(1 << 20) - 1] == 'x');
    return 0;
}
