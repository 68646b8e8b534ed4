/* question: fork + wait */
#include "bench.h"

static void once(void) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0)
        _exit(0);
    REQUIRE(waitpid(child, NULL, 0) == child);
}

int main(void) {
    MEASURE(once());
}
