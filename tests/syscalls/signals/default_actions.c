/* Every signal's default: ends the process, stops it, or does nothing. */
#include "guest.h"
#include <sys/resource.h>

int main(void) {
    struct rlimit none = {0, 0};
    CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
    for (int number = 1; number <= 64; number++) {
        if (number == 32 || number == 33)
            continue; /* the C library's own */
        pid_t child = fork();
        if (child == 0) {
            signal(number, SIG_DFL);
            kill(getpid(), number);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, WUNTRACED) == child);
        printf("%d ", number);
        show_status(number < 32 ? sigabbrev_np(number) : "RT", status);
        if (WIFSTOPPED(status)) {
            CHECK(kill(child, SIGKILL) == 0);
            CHECK(waitpid(child, &status, 0) == child);
        }
    }
    return 0;
}
