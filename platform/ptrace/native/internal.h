/* Shared by the C files of the ptrace platform, unknown to Python. */

#ifndef RUNSC_INTERNAL_H
#define RUNSC_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hot.h"

#define BUCKETS 1024

/* The stub page's compare-and-exchange, and rip after the breakpoint behind it. */
#define STUB_EXCHANGE (STUB_PAGE + 32)
#define STUB_EXCHANGED (STUB_EXCHANGE + 5)

#define EXTENDED_STATE_SIZE 16384

#define STOP_SIGNAL(status) (((status) >> 8) & 0xff)
#define STOP_EVENT(status) ((status) >> 16)
#define SYSCALL_STOP (SIGTRAP | 0x80)

struct process {
    int32_t pid;
    int32_t live;    /* contexts that were not told to exit */
    int32_t members; /* contexts not yet reaped */
};

/* The doorbell: see doorbell.c. */
struct doorbell {
    int32_t tid;
    int32_t armed;    /* it polls; when it stops, it has rung */
    int32_t rang;     /* it has, and nobody looked why yet */
    int32_t watched;  /* the sentry's epoll descriptor, -1 without one */
    int32_t timer;    /* our own timerfd, the placement tick */
    int32_t ticking;  /* the timer is set */
    struct registers registers;
};

struct placement {
    int32_t policy;
    int32_t together_running; /* running contexts bound to the tracer's CPU */
    int32_t proc;             /* a descriptor of /proc */
    uint16_t seat;            /* counts the tracer's moves */
    uint8_t standing;         /* between two seats, on no CPU in particular */
    int32_t companion;        /* a process that answers the tracer, and moves with it */
    int64_t looked;           /* when the queueing time was last looked at, and what it was */
    int64_t queued;
    int64_t patience;         /* until it is looked at again, ns */
    cpu_set_t together;
    cpu_set_t everywhere;
};

struct internals {
    struct context *by_tid[BUCKETS];
    struct context **slots; /* slot 0 is never used */
    int32_t slot_count;
    struct context *free;
    struct context *running; /* list, in no order */
    struct context *ready;   /* stops and deaths seen while waiting for another thread */
    int32_t early;           /* a child that stopped before its parent told us of it */
    struct context *stub[2]; /* the master and the doorbell */
    struct context *serving; /* whose event platform_wait has returned last, and when */
    uint64_t serving_since;
    struct registers initial; /* of a new address space */
    struct doorbell doorbell;
    struct placement placement;
};

/* contexts.c: the table, and the life of a context */
struct context *context_of_tid(struct internals *in, int tid);
struct context *context_register(struct internals *in, int tid, struct process *process);
void context_reaped(struct platform *platform, struct context *context);
void context_started(struct platform *platform, struct context *context);
void context_stopped(struct platform *platform, struct context *context);
void context_keep_dying(struct context *context, int status);
void kill_process(int pid);

/* hot.c */
int wait_for_context(struct platform *platform, struct context *context, int *status);
void make_ready(struct internals *in, struct context *context, int status);
void forget_ready(struct internals *in, struct context *context);

/* stops.c: waiting for one thread, and what a stop means */
int wait_for(int tid, int *status);
int is_kernel_fault(int tid, int signal, uint8_t info[128]);
int load_registers(int tid, const struct registers *registers);
int store_registers(int tid, struct registers *registers);

/* calls.c: host system calls made by a stub */
int call_run(struct platform *platform, struct context *context, int64_t number,
             const uint64_t arguments[6], int *child);

/* doorbell.c */
int doorbell_arm(struct platform *platform);
int doorbell_rung(struct platform *platform);
void doorbell_tick_soon(struct internals *in);

/* placement.c */
int64_t placement_clock(void);
void placement_stopped(struct platform *platform, struct context *context);
void placement_follow(struct internals *in, struct context *context);
void placement_tick(struct platform *platform);

#endif
