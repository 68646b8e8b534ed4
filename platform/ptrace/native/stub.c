/* Making the stub processes: the master, which all guests are cloned from, and the doorbell.
 *
 * A stub starts as a copy of the sentry that shares its descriptor table.  It is seized, and its
 * filter installed, before it holds anything but our own code; then Python has everything
 * unmapped but the stub page and the vDSO, so that no guest inherits a byte of the sentry. */

#include "internal.h"
#include "raw.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PTRACE_OPTIONS                                                                             \
    (PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |     \
     PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK)

/* FXSAVE image: default control words; XSAVE header: where the list of present parts is. */
#define FCW_OFFSET 0
#define FCW_DEFAULT 0x037f
#define MXCSR_OFFSET 24
#define MXCSR_DEFAULT 0x1f80
#define XSTATE_BV_OFFSET 512
#define PKRU_PART (1UL << 9)

static const uint8_t stub_code[] = {
    0x0f, 0x05,                         /* syscall: every injected call */
    0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, /* int3 */
    0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
    0xb8, 0x07, 0x00, 0x00, 0x00, /* 16, the doorbell's loop: mov $SYS_poll, %eax */
    0x0f, 0x05,                   /* syscall */
    0xcc,                         /* int3: it rang */
    0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc,
    0xf0, 0x0f, 0xb1, 0x17, /* 32, STUB_EXCHANGE: lock cmpxchg %edx, (%rdi) */
    0xcc,                   /* int3: done */
};

struct setup {
    pid_t parent;
    int gate; /* read end of a pipe: a byte comes when the stub has been seized */
    struct sock_fprog filter;
    void *rseq;
};

static _Noreturn void fail(int step)
{
    for (;;)
        RAW(SYS_exit_group, step, 0, 0, 0);
}

static void make_stub_page(void)
{
    uint8_t *page = (uint8_t *)STUB_PAGE;
    long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

    if (raw_call(SYS_mmap, STUB_PAGE, 4096, PROT_READ | PROT_WRITE, flags, -1, 0) != STUB_PAGE)
        fail(STEP_STUB_PAGE);
    for (size_t i = 0; i < 4096; i++)
        page[i] = i < sizeof stub_code ? stub_code[i] : 0xcc;
    if (RAW(SYS_mprotect, STUB_PAGE, 4096, PROT_READ | PROT_EXEC, 0))
        fail(STEP_STUB_PAGE);
}

/* What memory and scheduling calls may need stays; a guest's rights are the sentry's to know. */
static void drop_capabilities(void)
{
    const uint32_t kept = 1u << CAP_IPC_LOCK | 1u << CAP_SYS_NICE | 1u << CAP_SYS_RESOURCE;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2] = {{0, 0, 0}, {0, 0, 0}};

    if (RAW(SYS_capget, &header, sets, 0, 0))
        fail(STEP_CAPABILITIES);
    for (int half = 0; half < 2; half++) {
        sets[half].effective &= half ? 0 : kept;
        sets[half].permitted &= half ? 0 : kept;
        sets[half].inheritable = 0;
    }
    if (RAW(SYS_capset, &header, sets, 0, 0))
        fail(STEP_CAPABILITIES);
}

/* The stub's own life, from its birth to the breakpoint in the stub page. */
static _Noreturn void stub_main(const struct setup *setup)
{
    const struct rlimit no_core = {0, 0};
    char byte;

    /* Until EXITKILL holds us, the sentry's death must end us too. */
    RAW(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
    if (RAW(SYS_getppid, 0, 0, 0, 0) != setup->parent)
        fail(STEP_PARENT);
    if (RAW(SYS_read, setup->gate, &byte, 1, 0) != 1)
        fail(STEP_PARENT);
    RAW(SYS_setsid, 0, 0, 0, 0); /* a terminal's signals are for the sentry */
    RAW(SYS_prctl, PR_SET_NAME, "runsc-guest", 0, 0);
    RAW(SYS_setrlimit, RLIMIT_CORE, &no_core, 0, 0);
    if (forget_libc(setup->rseq))
        fail(STEP_RSEQ);
    reset_signals();
    make_stub_page();
    drop_capabilities();
    if (RAW(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0))
        fail(STEP_NO_NEW_PRIVILEGES);
    if (RAW(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &setup->filter, 0))
        fail(STEP_FILTER);
    ((void (*)(void))(STUB_PAGE + 2))();
    fail(STEP_SETUP);
}

static int failed(struct platform *platform, int step, int number)
{
    platform->failed_step = step;
    platform->failed_errno = number;
    return -1;
}

/* The raw clone; signals are blocked around it, lest a handler run in the stub. */
static pid_t clone_stub(const struct setup *setup)
{
    sigset_t all, before;
    long pid;
    int dumpable = prctl(PR_GET_DUMPABLE);

    /* A process that is not dumpable cannot be seized without privilege, not even by its parent. */
    prctl(PR_SET_DUMPABLE, 1);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    /* No exit signal, and not for a debugger of the sentry to attach to. */
    pid = RAW(SYS_clone, CLONE_FILES | CLONE_UNTRACED, 0, 0, 0);
    if (pid == 0)
        stub_main(setup);
    sigprocmask(SIG_SETMASK, &before, NULL);
    prctl(PR_SET_DUMPABLE, dumpable == 1);
    return (pid_t)pid;
}

/* Waits for the stub to reach its breakpoint. */
static int await_breakpoint(struct platform *platform, pid_t pid)
{
    int status;

    for (;;) {
        if (wait_for(pid, &status))
            return failed(platform, STEP_SETUP, errno);
        if (WIFEXITED(status))
            return failed(platform, WEXITSTATUS(status), 0);
        if (WIFSIGNALED(status))
            return failed(platform, STEP_SETUP, 0);
        if (!STOP_EVENT(status) && STOP_SIGNAL(status) == SIGTRAP)
            return 0;
        ptrace(PTRACE_CONT, pid, 0, 0);
    }
}

static int seize(struct platform *platform, pid_t pid, int gate)
{
    int status, number;

    if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_OPTIONS)) {
        number = errno;
        kill_process(pid);
        wait_for(pid, &status);
        return failed(platform, STEP_SEIZE, number);
    }
    if (write(gate, "", 1) == 1 && await_breakpoint(platform, pid) == 0)
        return 0;
    kill_process(pid);
    return -1;
}

/* Registers a seized stub as a context of its own. */
static int adopt(struct platform *platform, int which, pid_t pid)
{
    struct internals *in = platform->internals;
    struct process *process = calloc(1, sizeof *process);
    struct context *stub = NULL;

    if (process) {
        process->pid = pid;
        stub = in->stub[which] = context_register(in, pid, process);
    }
    if (!stub || store_registers(pid, &stub->registers)) {
        kill_process(pid);
        return failed(platform, STEP_REGISTERS, errno);
    }
    stub->together = in->placement.policy != PLACEMENT_SPREAD; /* it was cloned from the tracer */
    stub->seat = in->placement.seat;
    return 0;
}

/* Starts one of the two stubs under `filter`, a BPF program.  0, or -1 with the step that failed. */
int platform_start_stub(struct platform *platform, int which, const char *filter, int filter_size)
{
    struct setup setup;
    pid_t pid;
    int gate[2], result;

    memset(&setup, 0, sizeof setup);
    setup.parent = getpid();
    setup.rseq = find_rseq();
    setup.filter.len = (unsigned short)((size_t)filter_size / sizeof(struct sock_filter));
    setup.filter.filter = (struct sock_filter *)filter;
    if (pipe2(gate, O_CLOEXEC))
        return failed(platform, STEP_MEMORY, errno);
    setup.gate = gate[0];
    pid = clone_stub(&setup);
    result = pid < 0 ? failed(platform, STEP_CLONE, -pid) : seize(platform, pid, gate[1]);
    close(gate[0]);
    close(gate[1]);
    return result ? result : adopt(platform, which, pid);
}

int platform_stub_pid(struct platform *platform, int which)
{
    return platform->internals->stub[which]->pid;
}

/* Unmaps a part of a stub; its caller knows what must stay.  0, or -1. */
int platform_stub_unmap(struct platform *platform, int which, uint64_t start, uint64_t size)
{
    struct context *stub = platform->internals->stub[which];
    const uint64_t arguments[6] = {start, size, 0, 0, 0, 0};

    if (call_run(platform, stub, SYS_munmap, arguments, NULL) || stub->result)
        return failed(platform, STEP_UNMAP, (int)-stub->result);
    return 0;
}

/* Clears what the master inherited in registers, which may be secrets of the sentry. */
int platform_finish_master(struct platform *platform)
{
    struct internals *in = platform->internals;
    struct context *master = in->stub[STUB_MASTER];
    struct registers *initial = &in->initial;
    char state[EXTENDED_STATE_SIZE];
    uint64_t parts;
    uint32_t mxcsr = MXCSR_DEFAULT;
    uint16_t fcw = FCW_DEFAULT;
    int size = context_get_extended_state(master, state, sizeof state);

    if (size < XSTATE_BV_OFFSET + 64)
        return failed(platform, STEP_REGISTERS, size < 0 ? -size : EINVAL);
    memcpy(&parts, state + XSTATE_BV_OFFSET, sizeof parts);
    parts &= PKRU_PART; /* the host's default protection keys stay */
    memset(state, 0, XSTATE_BV_OFFSET);
    memcpy(state + FCW_OFFSET, &fcw, sizeof fcw);
    memcpy(state + MXCSR_OFFSET, &mxcsr, sizeof mxcsr);
    memcpy(state + XSTATE_BV_OFFSET, &parts, sizeof parts);
    if (context_set_extended_state(master, state, size))
        return failed(platform, STEP_REGISTERS, errno);
    memset(initial, 0, sizeof *initial);
    initial->cs = master->registers.cs;
    initial->ss = master->registers.ss;
    initial->eflags = 0x202;
    initial->orig_rax = (uint64_t)-1;
    master->registers = *initial;
    return 0;
}

/* An empty platform; NULL without memory. */
struct platform *platform_create(void)
{
    struct platform *platform = calloc(1, sizeof *platform);
    struct internals *in = calloc(1, sizeof *in);

    if (platform && in) {
        in->slots = calloc(1, sizeof *in->slots);
        in->slot_count = 1;
        in->doorbell.watched = in->doorbell.timer = -1;
        platform->internals = in;
        if (in->slots && !sched_getaffinity(0, sizeof(cpu_set_t), &in->placement.everywhere))
            return platform;
        free(in->slots);
    }
    free(platform);
    free(in);
    return NULL;
}

/* Kills what is left and frees everything; no context may be used afterwards. */
void platform_destroy(struct platform *platform)
{
    struct internals *in = platform->internals;

    platform_kill_all(platform);
    sched_setaffinity(0, sizeof(cpu_set_t), &in->placement.everywhere);
    if (in->doorbell.timer >= 0)
        close(in->doorbell.timer);
    for (int i = 1; i < in->slot_count; i++)
        free(in->slots[i]);
    free(in->slots);
    free(in);
    free(platform);
}
