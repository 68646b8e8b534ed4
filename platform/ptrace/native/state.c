/* What a thread has beside its general registers: floating point and vector state
 * (NT_X86_XSTATE), debug registers. */

#include "internal.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

/* The size of the image, or -errno. */
int context_get_extended_state(struct context *context, char *buffer, int size)
{
    struct iovec image = {buffer, (size_t)size};

    if (ptrace(PTRACE_GETREGSET, context->tid, NT_X86_XSTATE, &image))
        return -errno;
    return (int)image.iov_len;
}

/* 0, or -errno: the host checks the image. */
int context_set_extended_state(struct context *context, const char *buffer, int size)
{
    struct iovec image = {(void *)buffer, (size_t)size};

    return ptrace(PTRACE_SETREGSET, context->tid, NT_X86_XSTATE, &image) ? -errno : 0;
}

static void *debug_register(int number)
{
    return (void *)(offsetof(struct user, u_debugreg) + 8 * (size_t)number);
}

/* Into context->result; 0, or -errno. */
int context_get_debug_register(struct context *context, int number)
{
    errno = 0;
    context->result = ptrace(PTRACE_PEEKUSER, context->tid, debug_register(number), 0);
    return -errno;
}

/* 0, or -errno.  The host refuses addresses that are no user's; a breakpoint that reaches into
 * the stub page is refused here. */
int context_set_debug_register(struct context *context, int number, uint64_t value)
{
    if (number < 0 || number > 7)
        return -EIO;
    if (number < 4 && value < LOWEST_ADDRESS && value + 8 > STUB_PAGE)
        return -EINVAL;
    return ptrace(PTRACE_POKEUSER, context->tid, debug_register(number), value) ? -errno : 0;
}
