/* Calls of the gofer that Python's os module does not have.  host.h says what each one does;
 * nothing here keeps state but the choice of openat2 and whether access control lists are told. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host.h"

#define HOST_DEVICE_MARK "user.runsc.device"

/* acl_state */
enum { ACL_UNKNOWN, ACL_ABSENT, ACL_PRESENT };

/* <linux/openat2.h> is missing from older headers; the values are ABI. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define BENEATH_NO_SYMLINKS (0x02 | 0x04 | 0x08) /* NO_MAGICLINKS | NO_SYMLINKS | BENEATH */

struct how {
    uint64_t flags, mode, resolve;
};

static int openat2_usable;
static int tells_acls;

static int result_of(long value)
{
    return value < 0 ? -errno : (int)value;
}

static long openat2_beneath(int directory, const char *name, int flags, unsigned int mode)
{
    struct how how = {.flags = (uint64_t)(unsigned int)flags, .resolve = BENEATH_NO_SYMLINKS};

    if (flags & (O_CREAT | __O_TMPFILE))
        how.mode = mode; /* openat2 refuses a mode that would not be used */
    return syscall(SYS_openat2, directory, name, &how, sizeof how);
}

int host_select_openat2(int wanted)
{
    openat2_usable = 0;
    if (wanted) {
        /* ENOSYS: an old kernel; EPERM: a container's old seccomp profile. */
        long fd = openat2_beneath(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        if (fd >= 0) {
            close((int)fd);
            openat2_usable = 1;
        }
    }
    return openat2_usable;
}

int host_open_beneath(int directory, const char *name, int flags, unsigned int mode)
{
    flags |= O_NOFOLLOW | O_CLOEXEC;
    if (openat2_usable)
        return result_of(openat2_beneath(directory, name, flags, mode));
    /* The caller checked that `name` is one component and no dots: nothing to climb with. */
    return result_of(openat(directory, name, flags, mode));
}

static int64_t nanoseconds(int64_t seconds, int64_t rest)
{
    if (seconds > INT64_MAX / 1000000000 - 1)
        return INT64_MAX;
    if (seconds < INT64_MIN / 1000000000 + 1)
        return INT64_MIN;
    return seconds * 1000000000 + rest;
}

#define STATX_TIME(t) nanoseconds((t).tv_sec, (t).tv_nsec)

/* For hosts where statx is missing or refused. */
static int stat_without_statx(int fd, struct host_attributes *attributes)
{
    struct stat st;

    if (fstatat(fd, "", &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    *attributes = (struct host_attributes){
        .inode = st.st_ino,
        .device_major = major(st.st_dev),
        .device_minor = minor(st.st_dev),
        .mode = st.st_mode,
        .links = st.st_nlink,
        .uid = st.st_uid,
        .gid = st.st_gid,
        .special_major = major(st.st_rdev),
        .special_minor = minor(st.st_rdev),
        .size = (uint64_t)st.st_size,
        .block_size = (uint64_t)st.st_blksize,
        .blocks = (uint64_t)st.st_blocks,
        .access_time = STATX_TIME(st.st_atim),
        .modify_time = STATX_TIME(st.st_mtim),
        .change_time = STATX_TIME(st.st_ctim),
    };
    return 0;
}

/* What an empty file with the mark of a device stands for (host.h). */
static void show_device(int fd, struct host_attributes *attributes)
{
    char name[16], mark[32], kind;
    unsigned int special_major, special_minor;
    ssize_t length;
    int used = 0;

    if (!S_ISREG(attributes->mode) || attributes->size != 0)
        return;
    snprintf(name, sizeof name, "%d", fd);
    length = getxattr(name, HOST_DEVICE_MARK, mark, sizeof mark - 1);
    if (length <= 0)
        return;
    mark[length] = 0;
    if (sscanf(mark, "%c %u:%u%n", &kind, &special_major, &special_minor, &used) != 3 ||
        used != length || (kind != 'b' && kind != 'c'))
        return;
    attributes->mode &= ~(uint64_t)S_IFMT;
    attributes->mode |= kind == 'b' ? S_IFBLK : S_IFCHR;
    attributes->special_major = special_major;
    attributes->special_minor = special_minor;
}

static int stat_with_statx(int fd, struct host_attributes *attributes)
{
    struct statx st;

    if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
              STATX_BASIC_STATS | STATX_BTIME, &st) < 0) {
        if (errno == ENOSYS || errno == EPERM)
            return stat_without_statx(fd, attributes);
        return -errno;
    }
    *attributes = (struct host_attributes){
        .inode = st.stx_ino,
        .device_major = st.stx_dev_major,
        .device_minor = st.stx_dev_minor,
        .mode = st.stx_mode,
        .links = st.stx_nlink,
        .uid = st.stx_uid,
        .gid = st.stx_gid,
        .special_major = st.stx_rdev_major,
        .special_minor = st.stx_rdev_minor,
        .size = st.stx_size,
        .block_size = st.stx_blksize,
        .blocks = st.stx_blocks,
        .access_time = STATX_TIME(st.stx_atime),
        .modify_time = STATX_TIME(st.stx_mtime),
        .change_time = STATX_TIME(st.stx_ctime),
        .birth_time = st.stx_mask & STATX_BTIME ? STATX_TIME(st.stx_btime) : 0,
    };
    return 0;
}

void host_tell_acls(void)
{
    tells_acls = 1;
}

/* Without rights of the group class a list grants and takes nothing: not worth a look. */
static uint64_t acl_state(int fd, uint64_t mode)
{
    char name[16];

    if (S_ISLNK(mode))
        return ACL_ABSENT;
    if (!tells_acls || !(mode & S_IRWXG))
        return ACL_UNKNOWN;
    snprintf(name, sizeof name, "%d", fd);
    if (getxattr(name, "system.posix_acl_access", NULL, 0) > 0)
        return ACL_PRESENT;
    return errno == ENODATA || errno == EOPNOTSUPP ? ACL_ABSENT : ACL_UNKNOWN;
}

int host_stat(int fd, struct host_attributes *attributes)
{
    int error = stat_with_statx(fd, attributes);

    if (error == 0) {
        show_device(fd, attributes);
        attributes->acl_state = acl_state(fd, attributes->mode);
    }
    return error;
}

int host_walk(int directory, const char *name, struct host_attributes *attributes)
{
    int fd = host_open_beneath(directory, name, O_PATH, 0);

    if (fd >= 0) {
        int error = host_stat(fd, attributes);
        if (error < 0) {
            close(fd);
            return error;
        }
    }
    return fd;
}

int host_statfs(int fd, struct host_statfs *result)
{
    struct statfs fs;

    if (fstatfs(fd, &fs) < 0)
        return -errno;
    *result = (struct host_statfs){
        .type = (uint64_t)(uint32_t)fs.f_type,
        .block_size = (uint64_t)fs.f_bsize,
        .blocks = fs.f_blocks,
        .blocks_free = fs.f_bfree,
        .blocks_available = fs.f_bavail,
        .files = fs.f_files,
        .files_free = fs.f_ffree,
        .name_length = (uint64_t)fs.f_namelen,
        .fragment_size = (uint64_t)fs.f_frsize,
    };
    return 0;
}

int host_getdents(int fd, char *buffer, size_t size)
{
    return result_of(syscall(SYS_getdents64, fd, buffer, size));
}

int host_chown(int fd, unsigned int uid, unsigned int gid)
{
    return result_of(fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
}

int host_rename(int old_directory, const char *old_name, int new_directory, const char *new_name,
                unsigned int flags)
{
    if (flags == 0) /* some file systems have only the old call */
        return result_of(renameat(old_directory, old_name, new_directory, new_name));
    return result_of(renameat2(old_directory, old_name, new_directory, new_name, flags));
}

int host_fallocate(int fd, int mode, int64_t offset, int64_t length)
{
    return result_of(fallocate(fd, mode, offset, length));
}

int host_set_times(int descriptors, const char *name, int64_t access_seconds,
                   int64_t access_nanoseconds, int64_t modify_seconds,
                   int64_t modify_nanoseconds)
{
    struct timespec times[2] = {
        {.tv_sec = access_seconds, .tv_nsec = access_nanoseconds},
        {.tv_sec = modify_seconds, .tv_nsec = modify_nanoseconds},
    };

    /* Follows the magic link to the very inode of the descriptor, symbolic links included. */
    return result_of(utimensat(descriptors, name, times, 0));
}

int host_become_service(int parent)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL); /* SIGKILL, SIGSTOP and libc's own refuse */
    action.sa_handler = SIG_IGN;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGPIPE, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    setsid(); /* cannot fail in a child that was just forked */
    umask(0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return -errno;
    return getppid() == parent ? 0 : -ESRCH;
}
