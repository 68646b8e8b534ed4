/* Guest memory, as process_vm_readv(2) sees it: protections hold, and a transfer that meets a
 * bad page ends before it. */

#include "internal.h"

#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define PAGE 4096

/* Below is the stub page, which no guest address may reach. */
static int is_hidden(uint64_t address)
{
    return address < LOWEST_ADDRESS;
}

int64_t memory_read(int tid, uint64_t address, char *buffer, uint64_t size)
{
    struct iovec local = {buffer, size}, remote = {(void *)address, size};
    ssize_t done;

    if (is_hidden(address))
        return -EFAULT;
    done = process_vm_readv(tid, &local, 1, &remote, 1, 0);
    return done < 0 ? -errno : done;
}

int64_t memory_write(int tid, uint64_t address, const char *data, uint64_t size)
{
    struct iovec local = {(void *)data, size}, remote = {(void *)address, size};
    ssize_t done;

    if (is_hidden(address))
        return -EFAULT;
    done = process_vm_writev(tid, &local, 1, &remote, 1, 0);
    return done < 0 ? -errno : done;
}

/* The length of the string at `address`, copied into `buffer` without its NUL; or STRING_FAULT,
 * STRING_ENDLESS when there is no NUL in `limit` bytes.  Never reads beyond the NUL's page. */
int64_t memory_read_string(int tid, uint64_t address, char *buffer, uint64_t limit)
{
    uint64_t done = 0;

    while (done < limit) {
        uint64_t chunk = PAGE - ((address + done) & (PAGE - 1));
        const char *end;

        if (chunk > limit - done)
            chunk = limit - done;
        if (memory_read(tid, address + done, buffer + done, chunk) != (int64_t)chunk)
            return STRING_FAULT;
        end = memchr(buffer + done, 0, chunk);
        if (end)
            return end - buffer;
        done += chunk;
    }
    return STRING_ENDLESS;
}

/* Reaches for a byte the way a debugger does, which makes a stack mapping (MAP_GROWSDOWN) grow
 * down to it; process_vm_readv(2) does not.  0 when there is memory then, or the errno. */
int context_touch(struct context *context, uint64_t address)
{
    if (is_hidden(address))
        return EFAULT;
    errno = 0;
    ptrace(PTRACE_PEEKDATA, context->tid, address & ~(sizeof(long) - 1), 0);
    return errno;
}

/* Writes into a stopped context's memory whatever its protections, as PTRACE_POKEDATA does.
 * 0, or the errno. */
int context_poke(struct context *context, uint64_t address, const char *data, uint64_t size)
{
    if (is_hidden(address) || address + size < address)
        return EFAULT;
    while (size) {
        /* Aligned words: none reaches into a page that is not asked for. */
        uint64_t skip = address % sizeof(uint64_t), part = sizeof(uint64_t) - skip, word = 0;

        if (part > size)
            part = size;
        if (part < sizeof word) {
            errno = 0;
            word = (uint64_t)ptrace(PTRACE_PEEKDATA, context->tid, address - skip, 0);
            if (errno)
                return errno;
        }
        memcpy((char *)&word + skip, data, part);
        if (ptrace(PTRACE_POKEDATA, context->tid, address - skip, word))
            return errno;
        address += part;
        data += part;
        size -= part;
    }
    return 0;
}
