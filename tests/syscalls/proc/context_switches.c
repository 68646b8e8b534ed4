/* voluntary_ctxt_switches of /proc/PID/status counts the waits of a thread. */
#include "guest.h"

static long switches(pid_t thread) {
    char name[64], line[256];
    snprintf(name, sizeof name, "/proc/self/task/%d/status", thread);
    FILE *status = fopen(name, "r");
    long count = -1;
    CHECK(status);
    while (fgets(line, sizeof line, status))
        sscanf(line, "voluntary_ctxt_switches: %ld", &count);
    fclose(status);
    return count;
}

int main(void) {
    long before = switches(getpid());
    struct timespec moment = {.tv_nsec = 1000000};
    SHOW(before >= 0);
    for (int i = 0; i < 5; i++)
        CHECK(nanosleep(&moment, NULL) == 0);
    SHOW(switches(getpid()) >= before + 5);
    return 0;
}
