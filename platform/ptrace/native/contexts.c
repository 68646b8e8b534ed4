/* The table of contexts, and how they begin and end. */

#include "internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct context **bucket(struct internals *in, int tid)
{
    return &in->by_tid[(unsigned)tid % BUCKETS];
}

struct context *context_of_tid(struct internals *in, int tid)
{
    struct context *context = *bucket(in, tid);

    while (context && context->tid != tid)
        context = context->next;
    return context;
}

static struct context *allocate(struct internals *in)
{
    struct context *context = in->free;
    struct context **slots;

    if (context) {
        in->free = context->next;
        return context;
    }
    context = calloc(1, sizeof *context);
    slots = realloc(in->slots, sizeof *slots * (size_t)(in->slot_count + 1));
    if (!context || !slots) {
        free(context);
        in->slots = slots ? slots : in->slots;
        return NULL;
    }
    in->slots = slots;
    slots[in->slot_count] = context;
    context->slot = in->slot_count++;
    return context;
}

/* A context for the stopped host thread `tid` of `process`; NULL without memory. */
struct context *context_register(struct internals *in, int tid, struct process *process)
{
    struct context *context = allocate(in);
    struct context **head = bucket(in, tid);
    int32_t slot;

    if (!context)
        return NULL;
    slot = context->slot;
    memset(context, 0, sizeof *context);
    context->slot = slot;
    context->tid = tid;
    context->pid = process->pid;
    context->state = STATE_STOPPED;
    context->process = process;
    process->live++;
    process->members++;
    context->next = *head;
    *head = context;
    return context;
}

/* SIGKILL to one host process; a pid <= 0 would name a group, or everybody. */
void kill_process(int pid)
{
    if (pid > 1)
        kill(pid, SIGKILL);
}

/* Accounts for a context that was resumed. */
void context_started(struct platform *platform, struct context *context)
{
    struct internals *in = platform->internals;

    context->state = STATE_RUNNING;
    context->previous_running = NULL;
    context->next_running = in->running;
    if (in->running)
        in->running->previous_running = context;
    in->running = context;
    in->placement.together_running += context->together;
    platform->running++;
}

/* Accounts for a running context that stopped; the caller sets its new state. */
void context_stopped(struct platform *platform, struct context *context)
{
    struct internals *in = platform->internals;

    if (context->previous_running)
        context->previous_running->next_running = context->next_running;
    else
        in->running = context->next_running;
    if (context->next_running)
        context->next_running->previous_running = context->previous_running;
    in->placement.together_running -= context->together;
    platform->running--;
}

/* Makes the slot of a reaped context free for another. */
static void context_release(struct internals *in, struct context *context)
{
    context->state = STATE_FREE;
    if (in->serving == context)
        in->serving = NULL;
    context->next = in->free;
    in->free = context;
}

/* The host has reaped the thread: its tid may be somebody else's from now on. */
void context_reaped(struct platform *platform, struct context *context)
{
    struct internals *in = platform->internals;
    struct context **link = bucket(in, context->tid);
    struct process *process = context->process;

    while (*link && *link != context)
        link = &(*link)->next;
    if (*link)
        *link = context->next;
    forget_ready(in, context); /* a stop that was kept is of no interest any more */
    if (context->state == STATE_RUNNING)
        context_stopped(platform, context);
    if (context->state != STATE_DYING)
        process->live--;
    if (--process->members == 0)
        free(process);
    context->process = NULL;
    context->tid = context->pid = 0;
    context->next = NULL;
    if (context->state == STATE_DYING)
        context_release(in, context);
    else
        context->state = STATE_GONE;
}

/* A dying thread stopped once more: steer it into exit(2). */
void context_keep_dying(struct context *context, int status)
{
    struct registers registers;

    if (store_registers(context->tid, &registers)) {
        return; /* killed meanwhile; it will be reaped */
    }
    if (STOP_EVENT(status) == PTRACE_EVENT_SECCOMP) {
        registers.orig_rax = SYS_exit;
    } else {
        registers.rip = STUB_PAGE;
        registers.rax = SYS_exit;
        registers.orig_rax = (uint64_t)-1;
        registers.eflags = 0x202;
    }
    registers.rdi = 0;
    if (load_registers(context->tid, &registers)) {
        kill_process(context->pid);
        return;
    }
    ptrace(PTRACE_CONT, context->tid, 0, 0);
}

/* Ends the host thread, and with its last thread the host process.  Does not wait: the hot
 * loop reaps.  The context must not be used again. */
void context_exit(struct platform *platform, struct context *context)
{
    int32_t before = context->state;
    int deferred = context->ready ? context->deferred : 0;

    forget_ready(platform->internals, context);
    if (before == STATE_GONE) {
        context_release(platform->internals, context);
        return;
    }
    if (before == STATE_FREE || before == STATE_DYING)
        return;
    if (before == STATE_RUNNING)
        context_stopped(platform, context);
    context->state = STATE_DYING;
    if (--context->process->live == 0)
        kill_process(context->pid);
    else if (before == STATE_RUNNING && !deferred)
        ptrace(PTRACE_INTERRUPT, context->tid, 0, 0);
    else if (before == STATE_AT_CALL)
        context_keep_dying(context, PTRACE_EVENT_SECCOMP << 16);
    else
        context_keep_dying(context, deferred);
}

/* The new child's first stop; 0, or -1 when it died before it. */
static int await_child(struct internals *in, int tid)
{
    int status;

    if (tid == in->early) {
        in->early = 0;
        return 0;
    }
    for (;;) {
        if (wait_for(tid, &status) || !WIFSTOPPED(status))
            return -1;
        if (STOP_EVENT(status) == PTRACE_EVENT_STOP)
            return 0;
        ptrace(PTRACE_CONT, tid, 0, 0);
    }
}

/* Has `parent` make a host thread or process whose context starts with the parent's
 * registers.  NULL with errno set: the host's refusal, or ESRCH when the parent died. */
struct context *context_clone(struct platform *platform, struct context *parent, int share_memory,
                              int thread)
{
    /* No guest flag passes through, and no guest address: thread pointers and tid words are
     * the sentry's work.  CLONE_PARENT children take over the master's exit signal, none. */
    uint64_t flags = thread ? CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                  CLONE_SYSVSEM
                            : CLONE_FILES | CLONE_PARENT | (share_memory ? CLONE_VM : 0);
    uint64_t arguments[6] = {flags, 0, 0, 0, 0, 0};
    struct internals *in = platform->internals;
    struct process *process;
    struct context *context;
    int child = 0;

    if (parent->state != STATE_AT_CALL && parent->state != STATE_STOPPED) {
        errno = ESRCH;
        return NULL;
    }
    process = thread ? parent->process : calloc(1, sizeof *process);
    if (!process) {
        errno = ENOMEM;
        return NULL;
    }
    if (call_run(platform, parent, SYS_clone, arguments, &child))
        errno = ESRCH;
    else if (parent->result < 0)
        errno = (int)-parent->result;
    else if (child <= 0 || await_child(in, child))
        errno = ESRCH;
    else {
        if (!thread)
            process->pid = child;
        context = context_register(in, child, process);
        if (context) {
            context->registers = parent->registers;
            context->registers.orig_rax = (uint64_t)-1;
            context->changed = 1;
            context->together = parent->together; /* affinity is inherited */
            context->seat = parent->seat;
            return context;
        }
        kill_process(thread ? process->pid : child);
        errno = ENOMEM;
    }
    if (!thread)
        free(process);
    kill_process(in->early); /* the clone of a parent that died before it could say so */
    in->early = 0;
    return NULL;
}

/* A context in a fresh address space; NULL with errno set. */
struct context *platform_new_context(struct platform *platform)
{
    struct internals *in = platform->internals;
    struct context *context = context_clone(platform, in->stub[STUB_MASTER], 0, 0);

    if (context)
        context->registers = in->initial;
    return context;
}

/* Reaps the killed threads of one kind. */
static void reap_all(struct platform *platform, int leaders)
{
    struct internals *in = platform->internals;
    int status;

    for (int i = 0; i < BUCKETS; i++) {
        struct context *next;
        for (struct context *context = in->by_tid[i]; context; context = next) {
            next = context->next;
            if ((context->tid == context->pid) != leaders)
                continue;
            while (wait_for(context->tid, &status) == 0 && WIFSTOPPED(status))
                ;
            context_reaped(platform, context);
        }
    }
}

/* Kills and reaps every guest. */
void platform_kill_all(struct platform *platform)
{
    struct internals *in = platform->internals;

    for (int i = 0; i < BUCKETS; i++)
        for (struct context *context = in->by_tid[i]; context; context = context->next)
            kill_process(context->pid);
    reap_all(platform, 0);
    reap_all(platform, 1); /* the host reports a thread group's leader after its threads */
}
