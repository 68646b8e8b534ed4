/* A process that waits for one inside, and ends as that did: an engine's handle on a container.
 *
 * There is one for each container that shares a sandbox, so it must be small.  It begins as a copy
 * of a Python process and lets go of all memory but this library's code and two pages of its own.
 * It reads frames of the control socket (runsc/control/wire.py) until one answers the request that
 * was made before, and writes one exit record.  Signals that it gets are the waited-for's: each is
 * one more request.  From `wait_and_end` on nothing of libc may be used, not even a call that the
 * compiler makes up (memcpy) or the canary of a protected stack. */

#include "internal.h"
#include "raw.h"

#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* One for what is known, one for the stack. */
#define PAGES 8192
#define TEXT_SIZE 512
/* Where a process of ours can have memory: below it. */
#define ADDRESSES_END 0x7ffffffff000UL

/* One msgpack array: [REPLY, id, status]. */
#define ARRAY_OF_THREE 0x93
#define REPLY 1
#define UINT8 0xcc
#define UINT16 0xcd
#define FIXINT_END 0x80
#define SHORTEST_FRAME 4
#define FRAME_START 16
#define LONGEST_FRAME (4 << 20)

#define KILLED (128 + SIGKILL)
#define NOT_YET -1
#define NEVER -2

#define BIT(signal) (1UL << ((signal) - 1))
/* What is not for the one inside: our own faults, and what cannot be caught. */
#define OWN_SIGNALS                                                                                \
    (BIT(SIGKILL) | BIT(SIGSTOP) | BIT(SIGCHLD) | BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) |       \
     BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGSYS))

struct waiting {
    int connection, record, signals, answer;
    uint64_t gaps[3][2]; /* everything that goes: start, end */
    size_t head_size, tail_size, gone_size, request_size, number_at;
    char head[TEXT_SIZE], tail[TEXT_SIZE]; /* of the exit record, around the status */
    char gone[TEXT_SIZE];                  /* the exit record when the sandbox has gone */
    char request[TEXT_SIZE];               /* the frame of a signal, whose number is a byte of it */
};

_Static_assert(sizeof(struct waiting) <= PAGES / 2, "the rest is for the stack");

/* Without calls: what they would need is gone. */
#define BARE static inline __attribute__((always_inline))

struct range {
    uint64_t start, end;
};

/* The whole of `size` bytes, or nothing: 0, or -1. */
BARE int read_whole(int connection, uint8_t *buffer, long size)
{
    long got;

    for (long done = 0; done < size; done += got) {
        got = RAW(SYS_read, connection, buffer + done, size - done, 0);
        if (got <= 0)
            return -1;
    }
    return 0;
}

/* A wait(2) status, or NEVER. */
BARE int status_of(const uint8_t *frame, long size)
{
    if (frame[1] != REPLY)
        return NEVER;
    if (frame[3] < FIXINT_END && size == 4)
        return frame[3];
    if (frame[3] == UINT8 && size == 5)
        return frame[4];
    if (frame[3] == UINT16 && size == 6)
        return frame[4] << 8 | frame[5];
    return NEVER;
}

/* One frame: the status that was asked for, NOT_YET when it answers something else, or NEVER. */
BARE int read_frame(struct waiting *waiting)
{
    uint8_t length[4], frame[FRAME_START], rest[FRAME_START];
    long size, start, part;

    if (read_whole(waiting->connection, length, sizeof length))
        return NEVER;
    size = (long)length[0] | (long)length[1] << 8 | (long)length[2] << 16 | (long)length[3] << 24;
    if (size < SHORTEST_FRAME || size > LONGEST_FRAME)
        return NEVER;
    start = size < FRAME_START ? size : FRAME_START;
    if (read_whole(waiting->connection, frame, start))
        return NEVER;
    for (long left = size - start; left > 0; left -= part) {
        part = left < FRAME_START ? left : FRAME_START;
        if (read_whole(waiting->connection, rest, part))
            return NEVER;
    }
    if (frame[0] != ARRAY_OF_THREE || frame[2] >= FIXINT_END)
        return NEVER;
    return frame[2] == waiting->answer ? status_of(frame, size) : NOT_YET;
}

/* A connection that takes no more is ended by its reader. */
BARE void pass_signal_on(struct waiting *waiting)
{
    struct signalfd_siginfo signal;

    if (RAW(SYS_read, waiting->signals, &signal, sizeof signal, 0) != sizeof signal)
        return;
    waiting->request[waiting->number_at] = (char)signal.ssi_signo;
    RAW(SYS_sendto, waiting->connection, waiting->request, waiting->request_size, MSG_NOSIGNAL);
}

BARE int await_status(struct waiting *waiting)
{
    struct pollfd watched[2] = {{waiting->connection, POLLIN, 0}, {waiting->signals, POLLIN, 0}};
    int status = NOT_YET;

    while (status == NOT_YET) {
        if (RAW(SYS_poll, watched, 2, -1, 0) <= 0)
            continue;
        if (watched[1].revents)
            pass_signal_on(waiting);
        if (watched[0].revents)
            status = read_frame(waiting);
    }
    return status;
}

BARE void write_record(struct waiting *waiting, int status, int code)
{
    char digits[3] = {'0' + (char)(code / 100), '0' + (char)(code / 10 % 10),
                      '0' + (char)(code % 10)};
    int zeros = code < 10 ? 2 : code < 100;
    struct iovec ended[3] = {{waiting->head, waiting->head_size},
                             {digits + zeros, (size_t)(3 - zeros)},
                             {waiting->tail, waiting->tail_size}};
    struct iovec gone = {waiting->gone, waiting->gone_size};

    if (status == NEVER)
        RAW(SYS_pwritev, waiting->record, &gone, 1, 0);
    else
        RAW(SYS_pwritev, waiting->record, ended, 3, 0);
}

__attribute__((noinline, noreturn, optimize("no-stack-protector", "no-tree-vectorize")))
static void wait_and_end(struct waiting *waiting)
{
    int status, code = KILLED;

    for (int i = 0; i < 3; i++)
        RAW(SYS_munmap, waiting->gaps[i][0], waiting->gaps[i][1] - waiting->gaps[i][0], 0, 0);
    status = await_status(waiting);
    if (status != NEVER)
        code = status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff;
    if (waiting->record >= 0)
        write_record(waiting, status, code);
    for (;;)
        RAW(SYS_exit_group, code, 0, 0, 0);
}

/* What of this library is code and constants; its data is behind them. */
static int find_code(struct dl_phdr_info *object, size_t size, void *found)
{
    uint64_t here = (uint64_t)(uintptr_t)find_code, end = 0, data = UINT64_MAX;
    struct range *code = found;
    int is_ours = 0;

    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        uint64_t start = object->dlpi_addr + part->p_vaddr;

        if (part->p_type != PT_LOAD)
            continue;
        is_ours |= here >= start && here < start + part->p_memsz;
        if (start + part->p_memsz > end)
            end = start + part->p_memsz;
        if (part->p_flags & PF_W && start < data)
            data = start;
    }
    if (!is_ours)
        return 0;
    code->start = object->dlpi_addr & ~4095UL;
    code->end = data < end ? data & ~4095UL : (end + 4095) & ~4095UL;
    return 1;
}

static size_t copy_text(char *place, const char *text)
{
    size_t size = strnlen(text, TEXT_SIZE);

    memcpy(place, text, size);
    return size;
}

/* All signals but our own wait in a descriptor from now on. */
static int catch_signals(void)
{
    const uint64_t passed_on = ~OWN_SIGNALS;

    reset_signals();
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &passed_on, 0, 8);
    return (int)RAW(SYS_signalfd4, -1, &passed_on, 8, SFD_CLOEXEC);
}

/* What goes, and what stays between: the code and our pages, whichever comes first. */
static int plan_gaps(struct waiting *waiting)
{
    struct range code = {0, 0}, pages, first, second;

    if (!dl_iterate_phdr(find_code, &code))
        return -1;
    pages.start = (uint64_t)(uintptr_t)waiting;
    pages.end = pages.start + PAGES;
    first = pages.start < code.start ? pages : code;
    second = pages.start < code.start ? code : pages;
    waiting->gaps[0][1] = first.start;
    waiting->gaps[1][0] = first.end;
    waiting->gaps[1][1] = second.start;
    waiting->gaps[2][0] = second.end;
    waiting->gaps[2][1] = ADDRESSES_END;
    return 0;
}

static int install_filter(const struct waiter_setup *setup)
{
    struct sock_fprog program = {
        (unsigned short)(setup->filter_size / sizeof(struct sock_filter)),
        (struct sock_filter *)(uintptr_t)setup->filter,
    };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
        return -errno;
    return 0;
}

int waiter_become(const struct waiter_setup *setup)
{
    struct waiting *waiting = mmap(NULL, PAGES, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    int error;

    if (waiting == MAP_FAILED)
        return -errno;
    if (setup->request_size > TEXT_SIZE || setup->answer >= FIXINT_END || plan_gaps(waiting))
        return -EINVAL;
    waiting->connection = setup->connection;
    waiting->record = setup->record;
    waiting->answer = setup->answer;
    waiting->head_size = copy_text(waiting->head, setup->head);
    waiting->tail_size = copy_text(waiting->tail, setup->tail);
    waiting->gone_size = copy_text(waiting->gone, setup->gone);
    waiting->request_size = setup->request_size;
    waiting->number_at = setup->number_at;
    memcpy(waiting->request, setup->request, setup->request_size);
    waiting->signals = catch_signals();
    if (waiting->signals < 0)
        return waiting->signals;
    if (forget_libc(find_rseq()))
        return -EINVAL;
    RAW(SYS_prctl, PR_SET_NAME, "runsc-wait", 0, 0);
    RAW(SYS_close, setup->ready, 0, 0, 0);
    error = install_filter(setup);
    if (error)
        return error;
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call *%2"
                     :
                     : "r"((uint64_t)(uintptr_t)waiting + PAGES), "D"(waiting), "r"(wait_and_end)
                     : "memory");
    __builtin_unreachable();
}
