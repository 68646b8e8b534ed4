/* MAP_FIXED replaces, MAP_FIXED_NOREPLACE does not; holes and splits. */
#include "guest.h"

int main(void) {
    char *area = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    memset(area, 'a', 8 * 4096);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    SHOW(mmap(area + 4096, 4096, PROT_READ | PROT_WRITE, flags | MAP_FIXED, -1, 0) == area + 4096);
    printf("%c %d %c\n", area[0], area[4096], area[8192]);
    SHOW(mmap(area, 4096, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED &&
         errno == EEXIST);
    SHOW(munmap(area + 2 * 4096, 2 * 4096));
    SHOW(mmap(area + 2 * 4096, 4096, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, -1, 0) ==
         area + 2 * 4096);
    SHOW(area[2 * 4096]);
    SHOW(mmap(area + 3 * 4096, 4096, PROT_READ, flags, -1, 0) == area + 3 * 4096);
    put_file("file", "from a file");
    int fd = open("file", O_RDONLY);
    SHOW(mmap(area + 4 * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
         area + 4 * 4096);
    puts(area + 4 * 4096);
    printf("%c\n", area[5 * 4096]);
    char here[4096];
    SHOW(mincore(area, 4096, (unsigned char *)here));
    SHOW(munmap(area, 8 * 4096));
    SHOW(mincore(area, 4096, (unsigned char *)here));
    SHOW(mmap((void *)0, 4096, PROT_READ, flags | MAP_FIXED, -1, 0) == MAP_FAILED || getuid() == 0);
    return 0;
}
