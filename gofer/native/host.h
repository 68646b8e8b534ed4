/* Calls of the gofer that Python's os module does not have.  Neighbour: host.c.
 *
 * Every function returns a non-negative result or a negated errno.  This file is read by the C
 * compiler and by cffi, so it has declarations only. */

/* What statx(2) tells, in its order; the wire format of a file's attributes (protocol.py). */
struct host_attributes {
    uint64_t inode;
    uint64_t device_major, device_minor;
    uint64_t mode;
    uint64_t links;
    uint64_t uid, gid;
    uint64_t special_major, special_minor;
    uint64_t size;
    uint64_t block_size;
    uint64_t blocks;
    /* nanoseconds since the epoch; birth time is 0 when the file system keeps none */
    int64_t access_time, modify_time, change_time, birth_time;
    /* whether there is an access control list: ACL_… of protocol.py */
    uint64_t acl_state;
};

/* What statfs(2) tells, in the order of the STATFS reply. */
struct host_statfs {
    uint64_t type, block_size, blocks, blocks_free, blocks_available;
    uint64_t files, files_free, name_length, fragment_size;
};

/* Choose openat2(2) (1) or openat(2) with O_NOFOLLOW (0); returns what is used from now on,
 * which is 0 on a host without openat2. */
int host_select_openat2(int wanted);

/* One name under a directory, never through a symbolic link, never above the directory. */
int host_open_beneath(int directory, const char *name, int flags, unsigned int mode);

/* The same with O_PATH, and the attributes of what was opened.  Returns the descriptor. */
int host_walk(int directory, const char *name, struct host_attributes *attributes);

/* From now on fill in acl_state, which takes longer than statx(2) does. */
void host_tell_acls(void);

/* Attributes of a descriptor.  A device node of the sandbox is an empty file on the host, with the
 * extended attribute "user.runsc.device", "c 1:3" for example; it is shown as what it stands for.
 * The attribute is looked for relative to the working directory, the gofer's /proc/self/fd. */
int host_stat(int fd, struct host_attributes *attributes);
int host_statfs(int fd, struct host_statfs *result);
int host_getdents(int fd, char *buffer, size_t size);
int host_chown(int fd, unsigned int uid, unsigned int gid);
int host_rename(int old_directory, const char *old_name, int new_directory, const char *new_name,
                unsigned int flags);
int host_fallocate(int fd, int mode, int64_t offset, int64_t length);

/* Set times of the descriptor called `name` in `descriptors`, an open /proc/self/fd.  The
 * nanoseconds of each may be UTIME_NOW or UTIME_OMIT. */
int host_set_times(int descriptors, const char *name, int64_t access_seconds,
                   int64_t access_nanoseconds, int64_t modify_seconds,
                   int64_t modify_nanoseconds);

/* Turn a forked child into a service: own session, default signals, no SIGINT, no new
 * privileges, umask 0, killed when `parent` dies.  -ESRCH when the parent is dead already. */
int host_become_service(int parent);
