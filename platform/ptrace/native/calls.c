/* Host system calls made on the sentry's behalf by a stopped stub.
 *
 * A call that the guest itself is stopped at is rewritten and let through: one more stop.
 * Everywhere else the stub page's `syscall` instruction makes it: two more stops.  Either way
 * the guest's registers are put back when it is resumed. */

#include "internal.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

/* Kernel-internal results that ask for the call to be made again. */
#define ERESTARTSYS 512
#define ERESTARTNOINTR 513
#define ERESTARTNOHAND 514
#define ERESTART_RESTARTBLOCK 516

/* Whether all of [start, start + size) is the guest's to change. */
static int is_guest_range(uint64_t start, uint64_t size)
{
    return start >= LOWEST_ADDRESS && start + size >= start;
}

/* The last wall before the host: which calls a context may make, whatever the sentry asks. */
static int is_allowed(int64_t number, const uint64_t a[6])
{
    switch (number) {
    case SYS_mmap:
        if (a[0] == 0)
            return !(a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) && is_guest_range(LOWEST_ADDRESS, a[1]);
        return is_guest_range(a[0], a[1]);
    case SYS_mremap:
        if (!is_guest_range(a[0], a[1]) || !is_guest_range(a[0], a[2]))
            return 0;
        /* The kernel reads the new address for these flags only. */
        return !(a[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP)) || a[4] == 0
                   ? !(a[3] & MREMAP_FIXED)
                   : is_guest_range(a[4], a[2]);
    case SYS_madvise:
        /* Advice that harms the host's memory instead of the guest's. */
        if ((int)a[2] == MADV_HWPOISON || (int)a[2] == MADV_SOFT_OFFLINE)
            return 0;
        return is_guest_range(a[0], a[1]);
    case SYS_munmap:
    case SYS_mprotect:
    case SYS_mincore:
    case SYS_msync:
    case SYS_mlock:
    case SYS_mlock2:
    case SYS_munlock:
        return is_guest_range(a[0], a[1]);
    case SYS_pread64:
    case SYS_pwrite64:
        /* The descriptor is the sentry's choice; the stub page must not be overwritten. */
        return is_guest_range(a[1], a[2]);
    case SYS_mlockall:
    case SYS_munlockall:
        return 1;
    case SYS_membarrier:
        return a[1] == 0; /* no processor is named */
    case SYS_prctl:
        return (a[0] == PR_SET_TSC || a[0] == PR_SET_THP_DISABLE) && !a[2] && !a[3] && !a[4];
    default:
        return 0;
    }
}

static void set_arguments(struct registers *registers, const uint64_t a[6])
{
    registers->rdi = a[0];
    registers->rsi = a[1];
    registers->rdx = a[2];
    registers->r10 = a[3];
    registers->r8 = a[4];
    registers->r9 = a[5];
}

/* The guest's registers, but about to execute the code at `address` of the stub page. */
static struct registers at_stub(const struct context *context, uint64_t address)
{
    struct registers registers = context->registers;

    /* Clean flags: a guest's single-step flag must not step the stub page. */
    registers.eflags = 0x202;
    registers.rip = address;
    registers.rsp = 0;
    registers.orig_rax = (uint64_t)-1;
    return registers;
}

/* Brings a thread to the stop before the stub page's `syscall`.  0, or -1 when it died. */
static int enter_stub(struct platform *platform, struct context *context, int64_t number,
                      const uint64_t a[6])
{
    struct registers registers = at_stub(context, STUB_PAGE);
    uint8_t info[128];
    int status;

    registers.rax = (uint64_t)number;
    set_arguments(&registers, a);
    if (load_registers(context->tid, &registers))
        return -1;
    for (;;) {
        ptrace(PTRACE_CONT, context->tid, 0, 0);
        if (wait_for_context(platform, context, &status))
            return -1;
        if (STOP_EVENT(status) == PTRACE_EVENT_SECCOMP)
            return 0;
        /* Interrupts and strangers' signals mean nothing here; a fault means that there is
         * no stub page, and then nothing about this process can be trusted. */
        if (!STOP_EVENT(status) && is_kernel_fault(context->tid, STOP_SIGNAL(status), info))
            return -1;
    }
}

/* Lets the call that a thread is stopped at happen.  0 at its exit, or -1 when it died. */
static int finish_call(struct platform *platform, struct context *context, int *child)
{
    int tid = context->tid;
    unsigned long message;
    int status;

    for (;;) {
        ptrace(PTRACE_SYSCALL, tid, 0, 0);
        if (wait_for_context(platform, context, &status))
            return -1;
        switch (STOP_EVENT(status)) {
        case 0:
            if (STOP_SIGNAL(status) == SYSCALL_STOP)
                return 0;
            break;
        case PTRACE_EVENT_CLONE:
        case PTRACE_EVENT_FORK:
        case PTRACE_EVENT_VFORK:
            message = 0;
            if (child && ptrace(PTRACE_GETEVENTMSG, tid, 0, &message) == 0)
                *child = (int)message;
            break;
        }
    }
}

/* Rewrites the guest's own pending call.  0, or -1 when the thread died. */
static int rewrite_call(struct context *context, int64_t number, const uint64_t a[6])
{
    struct registers registers = context->registers;

    registers.orig_rax = (uint64_t)number;
    set_arguments(&registers, a);
    return load_registers(context->tid, &registers);
}

static int wants_restart(int64_t result)
{
    return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
           result == -ERESTART_RESTARTBLOCK;
}

/* One attempt.  0, or -1 when the thread died or cannot be used any more. */
static int try_call(struct platform *platform, struct context *context, int64_t number,
                    const uint64_t arguments[6], int *child)
{
    int failed = context->state == STATE_AT_CALL
                     ? rewrite_call(context, number, arguments)
                     : enter_stub(platform, context, number, arguments);

    if (failed || finish_call(platform, context, child))
        return -1;
    context->state = STATE_STOPPED;
    errno = 0;
    context->result = ptrace(PTRACE_PEEKUSER, context->tid,
                             offsetof(struct user_regs_struct, rax), 0);
    return errno ? -1 : 0;
}

/* Makes any host call in a stopped context and leaves what it returned in `result`; the pid a
 * clone made goes to *child.  CALL_DONE, or CALL_GONE: then the host process is dead or dying,
 * and the hot loop reports it. */
int call_run(struct platform *platform, struct context *context, int64_t number,
             const uint64_t arguments[6], int *child)
{
    context->changed = 1;
    do {
        if (try_call(platform, context, number, arguments, child)) {
            kill_process(context->pid); /* 0 when it was reaped already */
            return CALL_GONE;
        }
    } while (wants_restart(context->result));
    return CALL_DONE;
}

/* The sentry's door to the above: only calls of the list, only on guest memory. */
int context_execute(struct platform *platform, struct context *context, int64_t number,
                    uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    const uint64_t arguments[6] = {a, b, c, d, e, f};

    if (!is_allowed(number, arguments))
        return CALL_REFUSED;
    if (context->state != STATE_AT_CALL && context->state != STATE_STOPPED)
        return CALL_GONE;
    return call_run(platform, context, number, arguments, NULL);
}

/* Lets the stub page's exchange run.  CALL_DONE, CALL_REFUSED after a fault, or -1: unusable. */
static int run_exchange(struct platform *platform, struct context *context,
                        struct registers *registers)
{
    uint8_t info[128];
    int status;

    if (load_registers(context->tid, registers))
        return -1;
    do {
        ptrace(PTRACE_CONT, context->tid, 0, 0);
        if (wait_for_context(platform, context, &status))
            return -1;
        if (STOP_EVENT(status) == PTRACE_EVENT_SECCOMP)
            return -1;
    } while (STOP_EVENT(status) || !is_kernel_fault(context->tid, STOP_SIGNAL(status), info));
    if (store_registers(context->tid, registers))
        return -1;
    context->state = STATE_STOPPED;
    if (STOP_SIGNAL(status) == SIGTRAP && registers->rip == STUB_EXCHANGED)
        return CALL_DONE;
    if (registers->rip != STUB_EXCHANGE)
        return -1;
    return STOP_SIGNAL(status) == SIGSEGV || STOP_SIGNAL(status) == SIGBUS ? CALL_REFUSED : -1;
}

/* Changes one aligned word of guest memory from `old` to `new`, if it is `old`, and leaves what
 * it was in `result`.  A stopped guest thread does it, so that it is atomic beside those that
 * run.  CALL_DONE; CALL_REFUSED when the guest could not write there; CALL_GONE. */
int context_compare_exchange(struct platform *platform, struct context *context, uint64_t address,
                             uint32_t old, uint32_t new)
{
    struct registers registers = at_stub(context, STUB_EXCHANGE);
    int ended;

    if (!is_guest_range(address, sizeof old) || address % sizeof old)
        return CALL_REFUSED;
    if (context->state != STATE_AT_CALL && context->state != STATE_STOPPED)
        return CALL_GONE;
    context->changed = 1;
    registers.rax = old;
    registers.rdx = new;
    registers.rdi = address;
    ended = run_exchange(platform, context, &registers);
    if (ended == -1) {
        kill_process(context->pid); /* 0 when it was reaped already */
        return CALL_GONE;
    }
    context->result = (uint32_t)registers.rax;
    return ended;
}
