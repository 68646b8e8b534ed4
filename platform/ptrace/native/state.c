/* Floating point and vector state (NT_X86_XSTATE). */

#include "internal.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

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
