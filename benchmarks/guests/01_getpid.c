/* question: getpid, trapped */
#include "bench.h"

int main(void) {
    MEASURE(REQUIRE(syscall(SYS_getpid) > 0));
}
