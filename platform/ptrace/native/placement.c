/* On which CPU a guest runs.
 *
 * A trap is a hand-over from the guest to the tracer and back.  On one CPU it is two context
 * switches; across two, each of them wakes an idle CPU, which costs several times as much.  A
 * guest that computes should have a CPU of its own instead.  So a context starts bound to the
 * tracer's CPU; it is let go when it is found running for long without a trap (the tick) or on
 * average between its traps, and is bound again when its traps become frequent.
 *
 * The tracer's CPU is not for ever either: when the tracer has to queue for it much of the time,
 * because others want it too, it gives up its seat, lets the host's scheduler move it for a tick,
 * and sits down where it is then.  Its contexts follow when they are next resumed. */

#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Traps that are averaged over: many, for the clock is coarse. */
#define WINDOW 128
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

/* A running context has stopped. */
void placement_stopped(struct platform *platform, struct context *context)
{
    int64_t average;

    if (platform->internals->placement.policy != PLACEMENT_AUTO)
        return;
    context->ran += placement_clock() - context->resumed;
    if (++context->traps < WINDOW)
        return;
    average = context->ran / WINDOW;
    context->traps = 0;
    context->ran = 0;
    if (!context->together && average < FREQUENT_NANOSECONDS)
        move(platform->internals, context, 1);
    else if (context->together && average > RARE_NANOSECONDS && platform->running > 1)
        move(platform->internals, context, 0);
}

/* How long the tracer has queued for a CPU in its life, ns: the second field of schedstat. */
static int64_t time_queued(const struct placement *placement)
{
    char text[96];
    ssize_t size = pread(placement->schedstat, text, sizeof text - 1, 0);
    char *field;

    if (size <= 0)
        return 0;
    text[size] = 0;
    field = strchr(text, ' ');
    return field ? strtoll(field, NULL, 10) : 0;
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
    int64_t queued, passed = now - placement->looked;
    int crowded;

    if (placement->standing) {
        sit(in, 0, sched_getcpu());
    } else if (placement->schedstat >= 0 && passed >= placement->patience) {
        queued = time_queued(placement);
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

/* Binds the tracer, and so the stubs that it will start, to the CPU it is on.  `schedstat` is a descriptor of the
 * tracer's file of that name in /proc, or -1: then it stays there. */
void platform_place(struct platform *platform, int policy, int schedstat)
{
    struct placement *placement = &platform->internals->placement;

    placement->policy = policy;
    placement->schedstat = schedstat;
    placement->patience = LEAST_PATIENCE;
    placement->looked = placement_clock();
    placement->queued = schedstat < 0 ? 0 : time_queued(placement);
    if (policy != PLACEMENT_SPREAD)
        sit(platform->internals, 0, sched_getcpu());
}
