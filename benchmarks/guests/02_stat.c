/* question: stat of a file */
#include "bench.h"

int main(void) {
    struct stat status;
    MEASURE(REQUIRE(stat("/etc/passwd", &status) == 0));
}
