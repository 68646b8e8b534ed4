/* SCHED_RESET_ON_FORK, SCHED_DEADLINE's checks, as root. */
#include "guest.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        struct sched_param parameters = {.sched_priority = 0};
        SHOW(setpriority(PRIO_PROCESS, 0, -5));
        SHOW(sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &parameters));
        SHOW(sched_getscheduler(0) == (SCHED_BATCH | SCHED_RESET_ON_FORK));
        fflush(stdout);
        if (fork() == 0) {
            SHOW(sched_getscheduler(0));
            SHOW(getpriority(PRIO_PROCESS, 0));
            fflush(stdout);
            _exit(0);
        }
        wait(0);
        _exit(0);
    }
    wait(0);
    struct attributes wrong = {.size = 48, .policy = 6, .runtime = 10, .deadline = 100000};
    SHOW(syscall(SYS_sched_setattr, 0, &wrong, 0));
    wrong.runtime = 2000000;
    wrong.deadline = 1000000;
    SHOW(syscall(SYS_sched_setattr, 0, &wrong, 0));
    return 0;
}
