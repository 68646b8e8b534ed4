/* prctl(2): names, parent-death signal, dumpable, no_new_privs, auxiliary vector, unknown options. */
#include "guest.h"
#include <sys/prctl.h>

#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

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
    SHOW(prctl(PR_SET_TSC, PR_TSC_ENABLE));
    SHOW(prctl(PR_GET_TSC, &number));
    SHOW(number == PR_TSC_ENABLE);
    SHOW(prctl(PR_SET_TSC, 3));
    char vector[1024] = "", file[1024] = "";
    int size = read(open("/proc/self/auxv", O_RDONLY), file, sizeof file);
    CHECK(size > 0);
    SHOW(prctl(PR_GET_AUXV, vector, sizeof vector, 0, 0) >= size);
    SHOW(memcmp(vector, file, sizeof file));
    memset(vector, 1, sizeof vector);
    SHOW(prctl(PR_GET_AUXV, vector, 20, 0, 0) >= size);
    SHOW(memcmp(vector, file, 20));
    SHOW(vector[20]);
    SHOW(prctl(PR_GET_AUXV, vector, 20, 1, 0));
    SHOW(prctl(PR_GET_AUXV, 8, 20, 0, 0));
    SHOW(prctl(12345));
    SHOW(prctl(PR_SET_NAME, 8));
    return 0;
}
