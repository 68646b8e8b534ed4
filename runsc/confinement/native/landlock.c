/* landlock(7) and capabilities(7): giving up what a process does not need, without a privilege.
 *
 * A right that the host's Landlock does not know is not restricted.  Processes that are started
 * afterwards are restricted as well; those may be traced and signalled, all others not. */

#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "walls.h"

/* <linux/landlock.h> is missing from older headers; the values are ABI. */
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446
#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1

#define FIRST_FILE_RIGHTS ((1 << 13) - 1)
#define REFER (1 << 13) /* since version 2; before it, moves between directories are refused */
#define TRUNCATE (1 << 14)
#define IOCTL_DEVICE (1 << 15)
#define BIND_AND_CONNECT_TCP 3
#define SOCKETS_AND_SIGNALS 3
/* Of them, what means something for a file that is no directory: EXECUTE, WRITE_FILE, READ_FILE */
#define OF_A_FILE (1 | 2 | 4 | TRUNCATE | IOCTL_DEVICE)

struct ruleset {
    uint64_t files, ports, scope;
};

struct path_beneath {
    uint64_t rights;
    int32_t descriptor;
} __attribute__((packed));

int walls_landlock_version(void)
{
    long version = syscall(CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);

    return version < 0 ? -errno : (int)version;
}

static uint64_t file_rights(int version)
{
    return FIRST_FILE_RIGHTS | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0) |
           (version >= 5 ? IOCTL_DEVICE : 0);
}

static int add_place(int ruleset, const struct walls_place *place, uint64_t handled)
{
    struct path_beneath rule = {place->rights & handled, place->descriptor};
    struct stat st;

    if (fstat(place->descriptor, &st) < 0)
        return -1;
    if (!S_ISDIR(st.st_mode))
        rule.rights &= OF_A_FILE;
    return (int)syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
}

int walls_restrict(const struct walls_place *places, int count, int flags)
{
    int version = walls_landlock_version(), ruleset, result = 0;
    struct ruleset attributes = {0, 0, 0};
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;

    if (version < 1 || (flags & WALLS_MOVES && version < 2))
        return 0;
    if (flags & WALLS_PATHS)
        attributes.files = file_rights(version);
    if (version >= 4 && !(flags & WALLS_PORTS))
        attributes.ports = BIND_AND_CONNECT_TCP;
    if (version >= 6)
        attributes.scope = SOCKETS_AND_SIGNALS;
    if (!(attributes.files | attributes.ports | attributes.scope))
        return 0;
    ruleset = (int)syscall(CREATE_RULESET, &attributes, size, 0);
    if (ruleset < 0)
        return -errno;
    for (int i = 0; i < count && !result; i++)
        result = add_place(ruleset, &places[i], attributes.files);
    if (result || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(RESTRICT_SELF, ruleset, 0) < 0)
        result = -errno;
    close(ruleset);
    return result ? result : 1;
}

int walls_keep_capabilities(uint64_t kept)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];

    if (syscall(SYS_capget, &header, sets) < 0)
        return -errno;
    for (int half = 0; half < 2; half++) {
        sets[half].effective &= (uint32_t)(kept >> 32 * half);
        sets[half].permitted &= (uint32_t)(kept >> 32 * half);
        sets[half].inheritable = 0;
    }
    return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}
