/* prctl(2): names, parent-death signal, dumpable, no_new_privs, unknown options. */
#include "guest.h"
#include <sys/prctl.h>

int main(void) {
    char name[17] = "";
    SHOW(prctl(PR_SET_NAME, "a-rather-long-name-for-a-thread"));
    SHOW(prctl(PR_GET_NAME, name));
    puts(name);
    SHOW(prctl(PR_SET_NAME, "short"));
    FILE *comm = fopen("/proc/self/comm", "r");
    CHECK(comm && fgets(name, sizeof name, comm));
    printf("%s", name);
    int number;
    SHOW(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    SHOW(prctl(PR_GET_PDEATHSIG, &number));
    SHOW(number);
    SHOW(prctl(PR_SET_PDEATHSIG, 99));
    SHOW(prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 0));
    SHOW(prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 9));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_GET_KEEPCAPS));
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
    SHOW(prctl(PR_GET_CHILD_SUBREAPER, &number));
    SHOW(number);
    SHOW(prctl(PR_GET_TIMERSLACK) > 0);
    SHOW(prctl(12345));
    SHOW(prctl(PR_SET_NAME, 8));
    return 0;
}
