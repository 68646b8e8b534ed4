/* getrlimit(2), setrlimit(2), prlimit(2): values stay, soft above hard, inheritance, effects. */
#include "guest.h"
#include <sys/resource.h>

int main(void) {
    become_nobody();
    struct rlimit limit;
    for (int which = 0; which < RLIM_NLIMITS; which++)
        CHECK(getrlimit(which, &limit) == 0 && limit.rlim_cur <= limit.rlim_max);
    SHOW(getrlimit(RLIM_NLIMITS, &limit));
    limit = (struct rlimit){50, 100};
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    limit = (struct rlimit){60, 100};
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    limit = (struct rlimit){60, 200};
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    limit = (struct rlimit){101, 100};
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    struct rlimit old;
    limit = (struct rlimit){40, 90};
    SHOW(prlimit(0, RLIMIT_NOFILE, &limit, &old));
    printf("%lu %lu\n", (unsigned long)old.rlim_cur, (unsigned long)old.rlim_max);
    pid_t child = fork();
    if (child == 0) {
        SHOW(getrlimit(RLIMIT_NOFILE, &limit));
        printf("%lu %lu\n", (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
        _exit(0);
    }
    wait_and_show("child", child);
    SHOW(prlimit(1 << 22, RLIMIT_NOFILE, NULL, &old));
    limit = (struct rlimit){1 << 20, 1 << 20};
    signal(SIGXFSZ, SIG_IGN);
    SHOW(setrlimit(RLIMIT_FSIZE, &limit));
    int fd = memfd_create("x", 0);
    SHOW(ftruncate(fd, (1 << 20) + 1));
    SHOW(pwrite(fd, "abcd", 4, (1 << 20) - 2));
    SHOW(pwrite(fd, "abcd", 4, 1 << 20));
    limit = (struct rlimit){1L << 30, 1L << 30};
    SHOW(setrlimit(RLIMIT_AS, &limit));
    SHOW(mmap(NULL, 1L << 31, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
         errno == ENOMEM);
    SHOW(mmap(NULL, 1L << 24, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    struct rusage usage;
    SHOW(getrusage(RUSAGE_SELF, &usage));
    SHOW(usage.ru_maxrss > 0);
    SHOW(getrusage(77, &usage));
    return 0;
}
