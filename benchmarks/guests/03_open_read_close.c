/* question: open + read + close */
#include "bench.h"

static void once(void) {
    char data[512];
    int fd = open("/etc/passwd", O_RDONLY);
    REQUIRE(fd >= 0);
    REQUIRE(read(fd, data, sizeof data) > 0);
    REQUIRE(close(fd) == 0);
}

int main(void) {
    MEASURE(once());
}
