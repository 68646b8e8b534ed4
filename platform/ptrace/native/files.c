/* Calls on files of the sentry that Python's os module lacks; platform/host_files.py wraps them. */

#include "internal.h"

#include <fcntl.h>

int64_t file_allocate(int fd, int mode, int64_t offset, int64_t size)
{
    return fallocate(fd, mode, offset, size) < 0 ? -errno : 0;
}

/* Never waits. */
int64_t file_tee(int from, int to, uint64_t size)
{
    ssize_t done = tee(from, to, size, SPLICE_F_NONBLOCK);

    return done < 0 ? -errno : done;
}
