/* On which CPU a guest runs.
 *
 * A trap is a hand-over from the guest to the tracer and back.  On one CPU it is two context
 * switches; across two, each of them wakes an idle CPU, which costs several times as much.  A
 * guest that computes should have a CPU of its own instead.  So a context starts bound to the
 * tracer's CPU; it is let go when it is found running for long without a trap (the tick) or on
 * average between its traps, and is bound again when its traps become frequent.
 *
 * That CPU has room for one guest that runs.  Where two want it, the host's scheduler gives it to
 * the tracer and the one that was there for a whole time slice, milliseconds, before the other
 * one has its turn and traps once.  So a context that finds another one running there at nearly
 * all of its stops is let go as well, and does not come while it is so.
 *
 * The tracer's CPU is not for ever either: when the tracer has to queue for it much of the time,
 * because others want it too, it gives up its seat, lets the host's scheduler move it for a tick,
 * and sits down where it is then.  Its contexts follow when they are next resumed. */

#include "internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Traps that are averaged over: many, for it costs a read of a file. */
#define WINDOW 128
/* Of these, the stops at which another context ran on the tracer's CPU: who passes is let go, and
 * who has fewer than the second may come.  Two that wait for each other in turn have about half. */
#define CROWDED (WINDOW * 7 / 8)
#define ROOMY (WINDOW / 2)
#define FREQUENT_NANOSECONDS 100000
#define RARE_NANOSECONDS 250000
#define LONG_NANOSECONDS 8000000

/* How often the tracer looks whether its CPU is crowded; more and more rarely while it always is,
 * for then all of them are. */
#define LEAST_PATIENCE 200000000
#define MOST_PATIENCE 3200000000
/* The part of its time for which a tracer may queue: it is about 0.2 without competition. */
#define QUEUED_LIMIT 2 / 5

/* Nanoseconds, in steps of the host's timer interrupt; costs next to nothing. */
int64_t placement_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The CPUs of the contexts that stay with the tracer. */
static const cpu_set_t *seat(const struct placement *placement)
{
    return placement->standing ? &placement->everywhere : &placement->together;
}

static void move(struct internals *in, struct context *context, int together)
{
    struct placement *placement = &in->placement;
    const cpu_set_t *cpus = together ? seat(placement) : &placement->everywhere;

    sched_setaffinity(context->tid, sizeof *cpus, cpus);
    if (context->state == STATE_RUNNING)
        placement->together_running += together - context->together;
    context->together = (uint8_t)together;
    context->seat = placement->seat;
}

/* A context that stays with the tracer is about to run, and the tracer has moved. */
void placement_follow(struct internals *in, struct context *context)
{
    move(in, context, 1);
}

/* The times of a thread so far, ns: on a CPU, and in the queue for one (proc(5), schedstat).
 * Zeros when it is gone, or when the host keeps no such statistics. */
static void thread_times(const struct placement *placement, const char *thread, int64_t *ran,
                         int64_t *queued)
{
    char text[96];
    ssize_t size = -1;
    int file;

    snprintf(text, sizeof text, "%s/schedstat", thread);
    file = openat(placement->proc, text, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        size = read(file, text, sizeof text - 1);
        close(file);
    }
    *ran = *queued = 0;
    if (size <= 0)
        return;
    text[size] = 0;
    sscanf(text, "%" SCNd64 " %" SCNd64, ran, queued);
}

/* A window of traps is over: where does this context belong?  By its own time on a CPU, not by
 * the clock: on a busy host the one says nothing about the other. */
static void choose(struct platform *platform, struct context *context)
{
    struct internals *in = platform->internals;
    int64_t ran, queued, average;
    char thread[16];

    snprintf(thread, sizeof thread, "%d", context->tid);
    thread_times(&in->placement, thread, &ran, &queued);
    average = (ran - context->ran) / WINDOW;
    if (!context->together && average < FREQUENT_NANOSECONDS && context->crowded < ROOMY)
        move(in, context, 1);
    else if (context->together && platform->running > 1 &&
             (average > RARE_NANOSECONDS || context->crowded > CROWDED))
        move(in, context, 0);
    context->traps = 0;
    context->crowded = 0;
    context->ran = ran;
}

/* A running context has stopped. */
void placement_stopped(struct platform *platform, struct context *context)
{
    struct placement *placement = &platform->internals->placement;

    if (placement->policy != PLACEMENT_AUTO)
        return;
    context->crowded += placement->together_running > context->together;
    if (++context->traps == WINDOW)
        choose(platform, context);
}

/* The tracer sits down on one CPU, or stands up. */
static void sit(struct internals *in, int standing, int cpu)
{
    struct placement *placement = &in->placement;

    placement->standing = (uint8_t)standing;
    placement->seat++;
    CPU_ZERO(&placement->together);
    CPU_SET((size_t)cpu, &placement->together);
    sched_setaffinity(0, sizeof(cpu_set_t), seat(placement));
    for (int which = STUB_MASTER; which <= STUB_DOORBELL; which++)
        if (in->stub[which])
            move(in, in->stub[which], 1);
    if (placement->companion)
        sched_setaffinity(placement->companion, sizeof(cpu_set_t), seat(placement));
}

/* A child of the sentry, single-threaded, whose answers the tracer waits for: its place is
 * where the tracer is, for the same reason as a guest's. */
void platform_accompany(struct platform *platform, int pid)
{
    struct placement *placement = &platform->internals->placement;

    if (placement->policy == PLACEMENT_SPREAD || pid <= 0)
        return;
    placement->companion = pid;
    sched_setaffinity(pid, sizeof(cpu_set_t), seat(placement));
}

static void look_for_a_seat(struct internals *in, int64_t now)
{
    struct placement *placement = &in->placement;
    int64_t ran, queued, passed = now - placement->looked;
    int crowded;

    if (placement->standing) {
        sit(in, 0, sched_getcpu());
    } else if (passed >= placement->patience) {
        thread_times(placement, "thread-self", &ran, &queued);
        crowded = queued - placement->queued > passed * QUEUED_LIMIT;
        placement->queued = queued;
        placement->looked = now;
        if (!crowded) {
            placement->patience = LEAST_PATIENCE;
            return;
        }
        if (placement->patience < MOST_PATIENCE)
            placement->patience *= 2;
        sit(in, 1, sched_getcpu());
    }
}

/* Lets go of the contexts that compute; called now and then while any is bound and running. */
void placement_tick(struct platform *platform)
{
    struct internals *in = platform->internals;
    int64_t now = placement_clock();

    if (in->placement.policy != PLACEMENT_AUTO)
        return;
    for (struct context *context = in->running; context; context = context->next_running)
        if (context->together && now - context->resumed >= LONG_NANOSECONDS)
            move(in, context, 0);
    look_for_a_seat(in, now);
}

/* Binds the tracer, and so the stubs that it will start, to the CPU it is on.  `proc` is a
 * descriptor of /proc, which stays open as long as the platform. */
void platform_place(struct platform *platform, int policy, int proc)
{
    struct placement *placement = &platform->internals->placement;
    int64_t ran;

    placement->policy = policy;
    placement->proc = proc;
    placement->patience = LEAST_PATIENCE;
    placement->looked = placement_clock();
    thread_times(placement, "thread-self", &ran, &placement->queued);
    if (policy != PLACEMENT_SPREAD)
        sit(platform->internals, 0, sched_getcpu());
}
