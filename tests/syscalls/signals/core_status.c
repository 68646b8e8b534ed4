/* The core-dump bit of a wait status: RLIMIT_CORE, dumpable; what kills a group, and orphans. */
#include "guest.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static void die(const char *what, int number, long limit, int dumpable) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit core = {limit, RLIM_INFINITY};
        if (limit >= 0)
            setrlimit(RLIMIT_CORE, &core);
        prctl(PR_SET_DUMPABLE, dumpable);
        raise(number);
        _exit(0);
    }
    siginfo_t info;
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
    printf("code %d, status %d; ", info.si_code, info.si_status);
    wait_and_show(what, child);
}

int main(void) {
    CHECK(chdir("/tmp") == 0);
    die("no core", SIGSEGV, 0, 1);
    die("too small", SIGSEGV, 1, 1);
    die("not dumpable", SIGSEGV, 100 << 20, 0);
    die("no core signal", SIGTERM, 100 << 20, 1);
    return 0;
}
