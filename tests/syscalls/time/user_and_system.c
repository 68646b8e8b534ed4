/* getrusage(2), times(2), wait4(2): computing is user time, calls are system time, a child's
 * both are its parent's when it was waited for; the memory used at most is kept over free. */
// guest: timeout = 60
#include "guest.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/times.h>

#define SIZE (48 << 20)

static long microseconds(struct timeval time) {
    return time.tv_sec * 1000000 + time.tv_usec;
}

static struct rusage usage(int who) {
    struct rusage result;
    CHECK(getrusage(who, &result) == 0);
    return result;
}

static void compute(void) {
    volatile unsigned value = 1;
    while (microseconds(usage(RUSAGE_SELF).ru_utime) < 100000)
        for (int i = 0; i < 10000000; i++)
            value = value * 3 + 1;
}

static void call(void) {
    while (microseconds(usage(RUSAGE_SELF).ru_stime) < 50000)
        for (int i = 0; i < 1000; i++)
            getppid();
}

int main(void) {
    struct rusage children = usage(RUSAGE_CHILDREN), waited;
    SHOW(microseconds(children.ru_utime) + microseconds(children.ru_stime) + children.ru_maxrss);
    pid_t child = fork();
    if (child == 0) {
        compute();
        struct rusage computed = usage(RUSAGE_SELF), thread = usage(RUSAGE_THREAD);
        SHOW(microseconds(computed.ru_utime) > microseconds(computed.ru_stime));
        SHOW(microseconds(thread.ru_utime) > 0);
        call();
        char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(memory != MAP_FAILED);
        memset(memory, 1, SIZE);
        munmap(memory, SIZE);
        SHOW(usage(RUSAGE_SELF).ru_maxrss >= SIZE / 1024);
        fflush(stdout);
        _exit(0);
    }
    int status;
    CHECK(wait4(child, &status, 0, &waited) == child);
    SHOW(microseconds(waited.ru_utime) >= 100000);
    SHOW(microseconds(waited.ru_stime) >= 50000);
    SHOW(waited.ru_maxrss >= SIZE / 1024);
    children = usage(RUSAGE_CHILDREN);
    SHOW(microseconds(children.ru_utime) == microseconds(waited.ru_utime));
    SHOW(microseconds(children.ru_stime) == microseconds(waited.ru_stime));
    SHOW(children.ru_maxrss == waited.ru_maxrss);
    struct tms ticks;
    SHOW(times(&ticks) != -1);
    SHOW(ticks.tms_cutime >= 10 && ticks.tms_cstime >= 5);
    return 0;
}
