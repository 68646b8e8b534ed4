/* Bad arguments of calls on signals, clocks, timers and futexes. */
// guest: timeout = 60
// guest: kernel = 6.16
#include "bad_input.h"
#include <linux/futex.h>

static const struct timespec soon = {0, 1000};
static const struct timespec wrong = {0, 1000000000};
static const struct itimerspec interval = {{0, 0}, {0, 0}};

int main(void) {
    make_world();
    const struct call calls[] = {
        CALL(rt_sigaction, NUMBER(SIGUSR1), BUFFER, BUFFER, LENGTH(8)),
        CALL(rt_sigprocmask, NUMBER(SIG_BLOCK), BUFFER, BUFFER, LENGTH(8)),
        CALL(rt_sigpending, BUFFER, LENGTH(8)),
        CALL_WITH(soon, rt_sigtimedwait, BUFFER, BUFFER, BUFFER, LENGTH(8)),
        CALL(rt_sigsuspend, BUFFER, LENGTH(8)),
        CALL(sigaltstack, BUFFER, BUFFER),
        CALL(signalfd4, DESCRIPTOR(-1), BUFFER, LENGTH(8), FLAGS(0)),
        CALL(clock_gettime, NUMBER(1), BUFFER),
        CALL(clock_getres, NUMBER(1), BUFFER),
        CALL_WITH(soon, clock_nanosleep, NUMBER(1), FLAGS(0), BUFFER, BUFFER),
        CALL_WITH(soon, nanosleep, BUFFER, BUFFER),
        CALL_WITH(wrong, nanosleep, BUFFER, BUFFER),
        CALL(gettimeofday, BUFFER, BUFFER),
        CALL(time, BUFFER),
        CALL(getitimer, NUMBER(0), BUFFER),
        CALL(setitimer, NUMBER(1), BUFFER, BUFFER),
        CALL(timer_create, NUMBER(1), FIXED(0), BUFFER),
        CALL(timer_create, NUMBER(1), BUFFER, BUFFER),
        CALL_WITH(interval, timer_settime, NUMBER(0), FLAGS(0), BUFFER, BUFFER),
        CALL(timer_gettime, NUMBER(0), BUFFER),
        CALL(timer_getoverrun, NUMBER(0)),
        CALL(timer_delete, NUMBER(0)),
        CALL(timerfd_create, NUMBER(1), FLAGS(0)),
        CALL_WITH(interval, timerfd_settime, DESCRIPTOR(FILE_FD), FLAGS(0), BUFFER, BUFFER),
        CALL(timerfd_gettime, DESCRIPTOR(FILE_FD), BUFFER),
        CALL(futex, BUFFER, FIXED(FUTEX_WAKE_PRIVATE), NUMBER(1)),
        CALL(futex, BUFFER, NUMBER(FUTEX_WAKE_PRIVATE), FIXED(1)),
        CALL_WITH(soon, futex, BUFFER, FIXED(FUTEX_WAIT_PRIVATE), NUMBER(1), BUFFER),
        CALL(futex, BUFFER, FIXED(FUTEX_REQUEUE_PRIVATE), NUMBER(1), FIXED(1), BUFFER),
        CALL(futex, BUFFER, FIXED(FUTEX_CMP_REQUEUE_PRIVATE), NUMBER(1), FIXED(1), BUFFER, NUMBER(0)),
        CALL(futex, BUFFER, FIXED(FUTEX_WAIT_BITSET_PRIVATE), NUMBER(1), FIXED(0), FIXED(0), NUMBER(1)),
        CALL(futex_waitv, BUFFER, NUMBER(1), FLAGS(0), BUFFER, NUMBER(1)),
        CALL(adjtimex, BUFFER),
    };
    TRY_ALL(calls, false);
    return 0;
}
