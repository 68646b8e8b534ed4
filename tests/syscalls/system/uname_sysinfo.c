/* uname(2), sysinfo(2), getrandom(2), sysconf(3): what a program asks of its machine. */
#include "guest.h"
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

int main(void) {
    struct utsname name;
    SHOW(uname(&name));
    printf("%s %s\n", name.sysname, name.machine);
    SHOW(name.release[0] >= '4' && name.nodename[0] != 0);
    struct sysinfo info;
    SHOW(sysinfo(&info));
    SHOW(info.totalram > 0 && info.freeram <= info.totalram && info.mem_unit > 0);
    SHOW(info.procs > 0);
    char first[32], second[32];
    SHOW(getrandom(first, 32, 0));
    SHOW(getrandom(second, 32, GRND_NONBLOCK));
    SHOW(memcmp(first, second, 32) != 0);
    SHOW(getrandom(first, 32, 0x80));
    SHOW(sysconf(_SC_PAGESIZE));
    SHOW(sysconf(_SC_CLK_TCK));
    SHOW(sysconf(_SC_NPROCESSORS_ONLN) > 0);
    SHOW(sysconf(_SC_OPEN_MAX) > 0);
    SHOW(syscall(9999));
    SHOW(syscall(-1));
    SHOW(getpriority(PRIO_PROCESS, 0));
    char host[100];
    SHOW(gethostname(host, sizeof host));
    SHOW(strcmp(host, name.nodename));
    unsigned cpu = 9999;
    SHOW(syscall(SYS_getcpu, &cpu, NULL, NULL));
    SHOW(cpu < 1024);
    SHOW(personality(PER_LINUX32));
    SHOW(uname(&name));
    printf("%s %s\n", name.sysname, name.machine);
    SHOW(personality(PER_LINUX));
    SHOW(uname(&name));
    printf("%s %s\n", name.sysname, name.machine);
    return 0;
}
