/* question: read of 1 MB */
#include "bench.h"

enum { SIZE = 1 << 20 };

int main(void) {
    char *data = malloc(SIZE);
    memset(data, 'x', SIZE);
    char name[] = "/tmp/bench-XXXXXX";
    int fd = mkstemp(name);
    REQUIRE(fd >= 0 && unlink(name) == 0);
    REQUIRE(write(fd, data, SIZE) == SIZE);
    MEASURE(REQUIRE(pread(fd, data, SIZE, 0) == SIZE));
}
