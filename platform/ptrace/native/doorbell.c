/* The doorbell: how a host event wakes a tracer that waits for its guests.
 *
 * It is a stub in which no guest ever runs.  Its page holds a loop of `poll` and a breakpoint,
 * its filter allows poll(2) and nothing else, and as it shares the sentry's descriptors it
 * polls the sentry's own epoll descriptor.  When that is readable the doorbell runs into the
 * breakpoint, which is a stop like any other: waitpid(2) returns, and nothing can be lost
 * between a look and a sleep.  It polls again when the tracer next waits, not before.
 *
 * Its second descriptor is a timer of ours: the tick of placement.c. */

#include "internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define TICK_NANOSECONDS 5000000

/* stub.c: where the loop is, in the page that all stubs have. */
#define DOORBELL_ENTRY (STUB_PAGE + 16)
#define DOORBELL_DATA LOWEST_ADDRESS

/* Tells the doorbell which descriptors to poll; it reads them when it is armed next. */
static int write_descriptors(struct doorbell *bell)
{
    struct pollfd polled[2] = {{bell->watched, POLLIN, 0}, {bell->timer, POLLIN, 0}};

    return memory_write(bell->tid, DOORBELL_DATA, (char *)polled, sizeof polled) ==
                   (int64_t)sizeof polled
               ? 0
               : -1;
}

/* Sets up the doorbell's memory and registers; it is stopped at its breakpoint, and everything
 * but the stub page is unmapped.  0, or -1. */
int platform_finish_doorbell(struct platform *platform)
{
    struct internals *in = platform->internals;
    struct doorbell *bell = &in->doorbell;
    const uint64_t arguments[6] = {DOORBELL_DATA, 4096, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1, 0};

    if (call_run(platform, in->stub[STUB_DOORBELL], SYS_mmap, arguments, NULL) ||
        in->stub[STUB_DOORBELL]->result != DOORBELL_DATA)
        return -1;
    bell->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (bell->timer < 0)
        return -1;
    bell->tid = in->stub[STUB_DOORBELL]->tid;
    bell->registers = in->stub[STUB_DOORBELL]->registers;
    bell->registers.rip = DOORBELL_ENTRY;
    bell->registers.rdi = DOORBELL_DATA;
    bell->registers.rsi = 2;
    bell->registers.rdx = (uint64_t)-1;
    bell->registers.orig_rax = (uint64_t)-1;
    return write_descriptors(bell);
}

void platform_watch(struct platform *platform, int fd)
{
    struct doorbell *bell = &platform->internals->doorbell;
    int status;

    bell->watched = fd;
    if (bell->armed) {
        /* Out of its poll and back: it knows the old descriptor only. */
        ptrace(PTRACE_INTERRUPT, bell->tid, 0, 0);
        wait_for(bell->tid, &status);
        bell->armed = 0;
    }
    write_descriptors(bell);
}

/* Has the doorbell poll, unless it does.  0, or -1 when it is dead. */
int doorbell_arm(struct platform *platform)
{
    struct doorbell *bell = &platform->internals->doorbell;

    if (bell->armed)
        return 0;
    if (load_registers(bell->tid, &bell->registers) || ptrace(PTRACE_CONT, bell->tid, 0, 0))
        return -1;
    bell->armed = 1;
    return 0;
}

/* The doorbell has stopped: 1 when that is for the sentry, 0 when it was the tick or nothing. */
int doorbell_rung(struct platform *platform)
{
    struct doorbell *bell = &platform->internals->doorbell;
    struct pollfd watched = {bell->watched, POLLIN, 0};
    uint64_t expirations;

    bell->rang = 0;
    if (bell->ticking && read(bell->timer, &expirations, sizeof expirations) > 0) {
        bell->ticking = 0;
        placement_tick(platform);
    }
    return poll(&watched, 1, 0) > 0;
}

/* Makes the doorbell ring for the placement before long. */
void doorbell_tick_soon(struct internals *in)
{
    const struct itimerspec soon = {{0, 0}, {0, TICK_NANOSECONDS}};

    if (!in->doorbell.ticking)
        in->doorbell.ticking = timerfd_settime(in->doorbell.timer, 0, &soon, NULL) == 0;
}
