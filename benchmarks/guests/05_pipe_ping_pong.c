/* question: pipe ping-pong, there and back */
#include "bench.h"

int main(void) {
    int there[2], back[2];
    char byte = 'x';
    REQUIRE(pipe(there) == 0 && pipe(back) == 0);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1)
            REQUIRE(write(back[1], &byte, 1) == 1);
        _exit(0);
    }
    MEASURE(REQUIRE(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1));
    close(there[1]);
    REQUIRE(waitpid(child, NULL, 0) == child);
}
