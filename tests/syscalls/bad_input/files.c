/* Bad arguments of calls on names. */
// guest: timeout = 60
// guest: user = root
// guest: kernel = 6.16
#include "bad_input.h"

static const struct { uint64_t flags, mode, resolve; } how = {O_RDONLY, 0, 0};
static const struct timespec times[2] = {{1, 2}, {3, 4}};

int main(void) {
    make_world();
    const struct call calls[] = {
        CALL(open, NAME("file"), FLAGS(O_RDONLY), FIXED(0)),
        CALL(openat, DESCRIPTOR(DIRECTORY_FD), NAME("../file"), FLAGS(O_RDONLY), FIXED(0)),
        CALL_WITH(how, openat2, DESCRIPTOR(AT_FDCWD), NAME("file"), BUFFER, LENGTH(24)),
        CALL(creat, NAME("new"), FLAGS(0644)),
        CALL(stat, NAME("file"), BUFFER),
        CALL(lstat, NAME("loop"), BUFFER),
        CALL(newfstatat, DESCRIPTOR(AT_FDCWD), NAME("file"), BUFFER, FLAGS(0)),
        CALL(newfstatat, DESCRIPTOR(FILE_FD), FIXED(""), BUFFER, FIXED(AT_EMPTY_PATH)),
        CALL(statx, DESCRIPTOR(AT_FDCWD), NAME("file"), FLAGS(0), FLAGS(0x7ff), BUFFER),
        CALL(statfs, NAME("file"), BUFFER),
        CALL(access, NAME("file"), FLAGS(R_OK)),
        CALL(faccessat2, DESCRIPTOR(AT_FDCWD), NAME("file"), FLAGS(R_OK), FLAGS(0)),
        CALL(chmod, NAME("file"), FLAGS(0666)),
        CALL(fchmodat2, DESCRIPTOR(AT_FDCWD), NAME("file"), FLAGS(0666), FLAGS(0)),
        CALL(chown, NAME("file"), FIXED(-1), FIXED(-1)),
        CALL(fchownat, DESCRIPTOR(AT_FDCWD), NAME("file"), FIXED(-1), FIXED(-1), FLAGS(0)),
        CALL(truncate, NAME("file"), NUMBER(10)),
        CALL(mkdir, NAME("new"), FLAGS(0755)),
        CALL(mkdirat, DESCRIPTOR(AT_FDCWD), NAME("new"), FLAGS(0755)),
        CALL(rmdir, NAME("file")),
        CALL(unlink, NAME("absent")),
        CALL(unlinkat, DESCRIPTOR(AT_FDCWD), NAME("absent"), FLAGS(0)),
        CALL(rename, NAME("absent"), NAME("new")),
        CALL(rename, FIXED("file"), NAME("file")),
        CALL(renameat2, DESCRIPTOR(AT_FDCWD), NAME("absent"), DESCRIPTOR(AT_FDCWD), NAME("new"),
             FLAGS(0)),
        CALL(link, NAME("file"), NAME("file")),
        CALL(linkat, DESCRIPTOR(AT_FDCWD), NAME("file"), DESCRIPTOR(AT_FDCWD), NAME("file"),
             FLAGS(0)),
        CALL(symlink, NAME("file"), NAME("file")),
        CALL(symlinkat, NAME("file"), DESCRIPTOR(AT_FDCWD), NAME("file")),
        CALL(readlink, NAME("link"), BUFFER, LENGTH(16)),
        CALL(readlinkat, DESCRIPTOR(AT_FDCWD), NAME("link"), BUFFER, NUMBER(16)),
        CALL(mknod, NAME("file"), FLAGS(S_IFREG | 0644), FIXED(0)),
        CALL(mknodat, DESCRIPTOR(AT_FDCWD), NAME("file"), FLAGS(S_IFIFO | 0644), FIXED(0)),
        CALL(chdir, NAME("directory")),
        CALL(chroot, NAME("directory")),
        CALL(getcwd, BUFFER, LENGTH(4096)),
        CALL_WITH(times, utimensat, DESCRIPTOR(AT_FDCWD), NAME("file"), BUFFER, FLAGS(0)),
        CALL_WITH(times, utimes, NAME("file"), BUFFER),
        CALL_WITH(times, futimesat, DESCRIPTOR(AT_FDCWD), NAME("file"), BUFFER),
        CALL(getxattr, NAME("file"), NAME("user.absent"), BUFFER, LENGTH(16)),
        CALL(lgetxattr, NAME("file"), NAME("user.absent"), BUFFER, LENGTH(16)),
        CALL(fgetxattr, DESCRIPTOR(FILE_FD), NAME("user.absent"), BUFFER, LENGTH(16)),
        CALL(setxattr, NAME("file"), NAME("user.new"), BUFFER, LENGTH(16), FLAGS(0)),
        CALL(fsetxattr, DESCRIPTOR(FILE_FD), NAME("user.new"), BUFFER, LENGTH(16), FLAGS(0)),
        CALL(listxattr, NAME("file"), BUFFER, LENGTH(256)),
        CALL(removexattr, NAME("file"), NAME("user.absent")),
        CALL(name_to_handle_at, DESCRIPTOR(AT_FDCWD), NAME("file"), BUFFER, BUFFER, FLAGS(0)),
        CALL(inotify_init1, FLAGS(0)),
        CALL(inotify_add_watch, DESCRIPTOR(FILE_FD), NAME("file"), FLAGS(2)),
        CALL(inotify_rm_watch, DESCRIPTOR(FILE_FD), NUMBER(1)),
        CALL(umask, FLAGS(022)),
        CALL(memfd_create, NAME("name"), FLAGS(0)),
    };
    TRY_ALL(calls, false);
    TRY_ALL(calls, true);
    return 0;
}
