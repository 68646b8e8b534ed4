/* question: fork + exec + wait, static program */
#include "bench.h"

static char *arguments[] = {"child", "child", NULL};

static void once(void) {
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        execv("/proc/self/exe", arguments);
        _exit(1);
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child && status == 0);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return 0;
    MEASURE(once());
}
