/* question: mmap + touch 16 pages + munmap */
#include "bench.h"

enum { PAGES = 16 };

static void once(void) {
    char *area = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(area != MAP_FAILED);
    for (int i = 0; i < PAGES; i++)
        area[i * 4096] = 1;
    REQUIRE(munmap(area, PAGES * 4096) == 0);
}

int main(void) {
    MEASURE(once());
}
