/* sched_yield(2), affinity, policies, priorities: what an ordinary process may ask. */
#include "guest.h"
#include <sched.h>
#include <sys/resource.h>

int main(void) {
    become_nobody();
    SHOW(sched_yield());
    cpu_set_t set;
    CPU_ZERO(&set);
    SHOW(sched_getaffinity(0, sizeof set, &set));
    SHOW(CPU_COUNT(&set) > 0);
    int first = 0;
    while (!CPU_ISSET(first, &set))
        first++;
    CPU_ZERO(&set);
    CPU_SET(first, &set);
    SHOW(sched_setaffinity(0, sizeof set, &set));
    SHOW(sched_getaffinity(0, sizeof set, &set));
    SHOW(CPU_COUNT(&set));
    CPU_ZERO(&set);
    SHOW(sched_setaffinity(0, sizeof set, &set));
    SHOW(sched_getaffinity(1 << 22, sizeof set, &set));
    SHOW(syscall(SYS_sched_getaffinity, 0, 1, &set));
    SHOW(sched_getscheduler(0));
    struct sched_param parameters = {.sched_priority = 0};
    SHOW(sched_getparam(0, &parameters));
    SHOW(parameters.sched_priority);
    SHOW(sched_setscheduler(0, SCHED_OTHER, &parameters));
    SHOW(sched_get_priority_max(SCHED_FIFO));
    SHOW(sched_get_priority_min(SCHED_OTHER));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, 5));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, 0));
    SHOW(nice(1));
    return 0;
}
