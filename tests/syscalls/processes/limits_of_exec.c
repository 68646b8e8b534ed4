/* Large argument lists arrive whole; one argument of more than 128 KiB is E2BIG. */
#include "guest.h"

int main(int argc, char **argv) {
    if (argc > 1) {
        long sum = 0;
        for (int i = 1; i < argc; i++)
            sum += strlen(argv[i]);
        printf("argc %d, %ld bytes\n", argc, sum);
        return 0;
    }
    enum { COUNT = 5000 };
    char **arguments = calloc(COUNT + 2, sizeof *arguments);
    arguments[0] = "x";
    for (int i = 1; i <= COUNT; i++)
        arguments[i] = "an argument of some thirty bytes.";
    char *large = malloc((1 << 17) + 1);
    memset(large, 'l', 1 << 17);
    large[1 << 17] = 0;
    SHOW(execl("/proc/self/exe", "x", large, NULL));
    large[(1 << 17) - 1] = 0;
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "x", large, NULL);
        _exit(1);
    }
    wait_and_show("one", child);
    child = fork();
    if (child == 0) {
        execv("/proc/self/exe", arguments);
        _exit(1);
    }
    wait_and_show("many", child);
    return 0;
}
