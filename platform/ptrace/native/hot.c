/* The hot loop: resume one context, wait for the next event of any, tell Python which.
 *
 * The event stream is a state machine, not a script: anything may stop or die at any time.
 * What is not an event for the sentry (strangers' signals, threads told to exit, the doorbell
 * ringing for us alone) is dealt with here, and the wait goes on. */

#include "internal.h"

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <x86intrin.h>

#define VSYSCALL_PAGE 0xffffffffff600000UL

#define NO_EVENT 0
#define MAX_OTHERS 16

/* Puts a context where platform_wait looks before it asks the host. */
void make_ready(struct internals *in, struct context *context, int status)
{
    context->deferred = status;
    if (context->ready)
        return;
    context->ready = 1;
    context->next_ready = in->ready;
    in->ready = context;
}

void forget_ready(struct internals *in, struct context *context)
{
    struct context **link = &in->ready;

    if (!context->ready)
        return;
    while (*link != context)
        link = &(*link)->next_ready;
    *link = context->next_ready;
    context->ready = 0;
}

/* Goes on with a context that never stopped as far as the sentry knows. */
static int keep_running(struct context *context)
{
    ptrace(PTRACE_CONT, context->tid, 0, 0);
    return NO_EVENT;
}

/* The context is out of the host's hands and in the sentry's. */
static int stopped_for(struct platform *platform, struct context *context, int state, int event)
{
    placement_stopped(platform, context);
    context_stopped(platform, context);
    context->state = state;
    context->interrupting = 0;
    context->changed = 0;
    return event;
}

/* A call into the vsyscall page stops inside the emulation of that page, where neither the
 * call nor rip may be changed.  Take it back to the caller first, as if it had returned. */
static int leave_vsyscall(struct platform *platform, struct context *context)
{
    struct registers registers = context->registers;
    int status;

    registers.orig_rax = (uint64_t)-1;
    registers.rax = (uint64_t)-ENOSYS;
    if (load_registers(context->tid, &registers))
        return -1;
    do {
        /* Any other stop forgets the interrupt, and then the guest would be on its way. */
        if (ptrace(PTRACE_INTERRUPT, context->tid, 0, 0) ||
            ptrace(PTRACE_CONT, context->tid, 0, 0) ||
            wait_for_context(platform, context, &status))
            return -1;
        if (STOP_EVENT(status) == PTRACE_EVENT_SECCOMP)
            return -1;
    } while (STOP_EVENT(status) != PTRACE_EVENT_STOP);
    if (store_registers(context->tid, &context->registers))
        return -1;
    return 0;
}

static int at_system_call(struct platform *platform, struct context *context)
{
    struct registers *registers = &context->registers;
    int state = STATE_AT_CALL;

    if (store_registers(context->tid, registers)) /* killed: its death comes next */
        return NO_EVENT;
    context->number = (int32_t)registers->orig_rax;
    context->arguments[0] = registers->rdi;
    context->arguments[1] = registers->rsi;
    context->arguments[2] = registers->rdx;
    context->arguments[3] = registers->r10;
    context->arguments[4] = registers->r8;
    context->arguments[5] = registers->r9;
    if (registers->rip - VSYSCALL_PAGE < 0x1000) {
        if (leave_vsyscall(platform, context)) {
            kill_process(context->pid);
            return NO_EVENT;
        }
        registers->orig_rax = (uint64_t)context->number;
        state = STATE_STOPPED;
    }
    context->call_pending = 1;
    return stopped_for(platform, context, state, EVENT_SYSCALL);
}

static int at_signal(struct platform *platform, struct context *context, int signal)
{
    if (!is_kernel_fault(context->tid, signal, context->signal_info))
        return keep_running(context);
    if (store_registers(context->tid, &context->registers))
        return NO_EVENT;
    context->call_pending = 0;
    return stopped_for(platform, context, STATE_STOPPED, EVENT_FAULT);
}

static int at_interrupt(struct platform *platform, struct context *context)
{
    if (!context->interrupting)
        return keep_running(context);
    if (store_registers(context->tid, &context->registers))
        return NO_EVENT;
    context->call_pending = 0;
    return stopped_for(platform, context, STATE_STOPPED, EVENT_INTERRUPTED);
}

/* What a running context's stop means to the sentry. */
static int classify_stop(struct platform *platform, struct context *context, int status)
{
    switch (STOP_EVENT(status)) {
    case PTRACE_EVENT_SECCOMP:
        return at_system_call(platform, context);
    case PTRACE_EVENT_STOP:
        return at_interrupt(platform, context);
    case 0:
        return at_signal(platform, context, STOP_SIGNAL(status));
    default:
        return keep_running(context);
    }
}

/* A child that is no context: one of the sentry's own, or a clone whose parent died under our
 * hands, which nobody will ever ask for. */
static void unknown_child(struct platform *platform, int tid, int status)
{
    if (WIFSTOPPED(status)) {
        kill_process(tid);
        return;
    }
    if (tid == platform->internals->placement.companion)
        platform->internals->placement.companion = 0;
    if (platform->others == MAX_OTHERS)
        return; /* nobody asks for them */
    platform->other_pids[platform->others] = tid;
    platform->other_statuses[platform->others++] = status;
}

/* Keeps a status that came while another thread was being waited for. */
static void defer(struct platform *platform, int tid, int status)
{
    struct internals *in = platform->internals;
    struct context *context = context_of_tid(in, tid);

    if (tid == in->doorbell.tid) {
        in->doorbell.armed = 0;
        in->doorbell.rang = 1;
    } else if (!context && WIFSTOPPED(status) && !in->early) {
        in->early = tid;
    } else if (!context) {
        unknown_child(platform, tid, status);
    } else if (WIFSTOPPED(status)) {
        make_ready(in, context, status);
    } else {
        int dying = context->state == STATE_DYING;
        context_reaped(platform, context);
        if (!dying)
            make_ready(in, context, 0);
    }
}

/* The next stop of one context.  0, or -1 when it died (it is GONE then).
 *
 * The host does not report the death of a thread group's leader before its other threads have
 * been reaped, so that those must be let in here too. */
int wait_for_context(struct platform *platform, struct context *context, int *status)
{
    for (;;) {
        int shared = context->tid == context->pid && context->process->members > 1;
        int tid = waitpid(shared ? -1 : context->tid, status, __WALL);

        if (tid < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (tid != context->tid) {
            defer(platform, tid, *status);
            continue;
        }
        if (WIFSTOPPED(*status))
            return 0;
        context_reaped(platform, context);
        make_ready(platform->internals, context, 0);
        return -1;
    }
}

/* Lets the guest run.  Whatever was not decided is answered with ENOSYS. */
void context_resume(struct platform *platform, struct context *context)
{
    if (context->state == STATE_GONE) {
        make_ready(platform->internals, context, 0);
        return;
    }
    if (context->state != STATE_AT_CALL && context->state != STATE_STOPPED)
        return;
    if (context->call_pending) {
        context->registers.rax = (uint64_t)-ENOSYS;
        context->call_pending = 0;
        context->changed = 1;
    }
    if (context->state == STATE_AT_CALL || context->changed) {
        context->registers.orig_rax = (uint64_t)-1; /* neither executed nor restarted */
        if (load_registers(context->tid, &context->registers)) {
            /* Not resumed: the host would execute what the guest asked for. */
            kill_process(context->pid);
            context_started(platform, context);
            return;
        }
    }
    if (context->together && context->seat != platform->internals->placement.seat)
        placement_follow(platform->internals, context);
    context->resumed = placement_clock();
    ptrace(PTRACE_CONT, context->tid, 0, 0);
    context_started(platform, context);
}

/* Asks a running context to stop. */
void context_interrupt(struct context *context)
{
    if (context->state != STATE_RUNNING || context->interrupting)
        return;
    context->interrupting = 1;
    ptrace(PTRACE_INTERRUPT, context->tid, 0, 0);
}

/* A wait status of any child.  The event it is for the sentry, or NO_EVENT. */
static int classify(struct platform *platform, struct context *context, int status)
{
    if (!WIFSTOPPED(status)) {
        int dying = context->state == STATE_DYING;
        context_reaped(platform, context);
        return dying ? NO_EVENT : EVENT_EXITED;
    }
    if (context->state == STATE_DYING) {
        context_keep_dying(context, status);
        return NO_EVENT;
    }
    if (context->state != STATE_RUNNING) {
        kill_process(context->pid); /* a stop that cannot be: trust it no more */
        return NO_EVENT;
    }
    return classify_stop(platform, context, status);
}

/* The first of the contexts whose events are known already; NULL when there is none. */
static struct context *next_ready(struct platform *platform, int *event)
{
    struct internals *in = platform->internals;

    while (in->ready) {
        struct context *context = in->ready;
        forget_ready(in, context);
        *event = context->state == STATE_GONE ? EVENT_EXITED
                                              : classify(platform, context, context->deferred);
        if (*event)
            return context;
    }
    return NULL;
}

/* Puts down what the last event took, by a clock that costs nothing to read.  The cycles say how
 * to share out the tracer's processor time among contexts, not how much that is: it may have been
 * preempted meanwhile. */
static void count_effort(struct platform *platform)
{
    struct internals *in = platform->internals;
    uint64_t cycles;

    if (!in->serving)
        return;
    cycles = __rdtsc() - in->serving_since;
    in->serving->effort += cycles;
    platform->effort += cycles;
    in->serving = NULL;
}

static int64_t report(struct internals *in, struct context *context, int event)
{
    in->serving = context;
    in->serving_since = __rdtsc();
    return (int64_t)context->slot * 8 + event;
}

int64_t platform_wait(struct platform *platform, struct context *resume)
{
    struct internals *in = platform->internals;
    struct context *context;
    int status, tid, event;

    count_effort(platform);
    if (resume)
        context_resume(platform, resume);
    for (;;) {
        if (in->ready && (context = next_ready(platform, &event)))
            return report(in, context, event);
        if (in->doorbell.rang && doorbell_rung(platform))
            return WAIT_WAKE;
        if (doorbell_arm(platform))
            return WAIT_BROKEN;
        if (in->placement.together_running)
            doorbell_tick_soon(in);
        tid = waitpid(-1, &status, __WALL);
        if (tid < 0)
            return errno == EINTR ? WAIT_WAKE : WAIT_BROKEN;
        if (tid == in->doorbell.tid) {
            if (!WIFSTOPPED(status))
                return WAIT_BROKEN;
            in->doorbell.armed = 0;
            in->doorbell.rang = 1;
            continue;
        }
        context = context_of_tid(in, tid);
        if (!context) {
            unknown_child(platform, tid, status);
            if (!WIFSTOPPED(status))
                return WAIT_WAKE;
            continue;
        }
        event = classify(platform, context, status);
        if (context == in->stub[STUB_MASTER])
            return WAIT_BROKEN;
        if (event)
            return report(in, context, event);
    }
}
