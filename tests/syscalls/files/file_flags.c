/* Immutable and append-only files (ioctl_iflags(2)) on a tmpfs: what they refuse, and to whom. */
// guest: user = root
// guest: kernel = 6.6
#include "guest.h"
#include <grp.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static void set_flags(const char *path, int flags) {
    int fd = open(path, O_RDONLY);
    errno = 0;
    int result = ioctl(fd, FS_IOC_SETFLAGS, &flags), error = errno;
    int now = 0;
    ioctl(fd, FS_IOC_GETFLAGS, &now);
    printf("%s: %#x: %s, now %#x\n", path, flags, result ? errno_name(error) : "set", now);
    close(fd);
}

static void attempts(const char *path) {
    int fd;
    SHOW((fd = open(path, O_WRONLY)) >= 0 ? close(fd) : -1);
    SHOW((fd = open(path, O_WRONLY | O_TRUNC)) >= 0 ? close(fd) : -1);
    SHOW((fd = open(path, O_RDONLY | O_TRUNC)) >= 0 ? close(fd) : -1);
    fd = open(path, O_WRONLY | O_APPEND);
    SHOW(fd >= 0);
    if (fd >= 0) {
        SHOW(write(fd, "more", 4));
        SHOW(ftruncate(fd, 1));
        SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10));
        SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 10));
        SHOW(fcntl(fd, F_SETFL, 0));
        SHOW(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
        SHOW(close(fd));
    }
    SHOW(access(path, W_OK));
    SHOW(truncate(path, 1));
    SHOW(chmod(path, 0600));
    SHOW(chown(path, 0, 0));
    SHOW(utimensat(AT_FDCWD, path, NULL, 0));
    struct timespec times[2] = {{1, 0}, {UTIME_OMIT, UTIME_OMIT}};
    SHOW(utimensat(AT_FDCWD, path, times, 0));
    SHOW(setxattr(path, "user.a", "v", 1, 0));
    SHOW(setxattr(path, "trusted.a", "v", 1, 0));
    SHOW(removexattr(path, "user.a"));
    SHOW(removexattr(path, "system.posix_acl_access"));
    SHOW(link(path, "linked"));
    SHOW(rename(path, "renamed"));
    SHOW(rename("other", path));
    SHOW(unlink(path));
}

static void in_directory(void) {
    int fd;
    SHOW((fd = open("directory/new", O_WRONLY | O_CREAT, 0600)) >= 0 ? close(fd) : -1);
    SHOW((fd = open("directory/there", O_WRONLY)) >= 0 ? close(fd) : -1);
    SHOW(mkdir("directory/sub", 0700));
    SHOW(rename("directory/there", "directory/moved"));
    SHOW(rename("other", "directory/there"));
    SHOW(unlink("directory/there"));
    SHOW(rmdir("directory"));
    SHOW(rename("directory", "elsewhere"));
    SHOW(link("other", "directory/linked"));
    SHOW(chmod("directory", 0700));
}

static void show_statx(const char *path) {
    struct statx st;
    CHECK(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st) == 0);
    printf("%s: attributes %#llx of %#llx\n", path, st.stx_attributes & 0x70,
           st.stx_attributes_mask & 0x70);
}

static void as_another_user(void) {
    CHECK(chown("other", 1234, 1234) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(setgroups(0, NULL) == 0 && setgid(1234) == 0 && setuid(1234) == 0);
        set_flags("other", FS_NODUMP_FL);
        set_flags("other", FS_NODUMP_FL | FS_APPEND_FL);
        set_flags("file", FS_NODUMP_FL);
        fflush(stdout);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
}

static void inherited(void) {
    set_flags("directory", FS_NODUMP_FL | FS_NOATIME_FL | FS_APPEND_FL);
    put_file("directory/heir", "x");
    CHECK(mkdir("directory/inner", 0700) == 0);
    set_flags("directory/inner", FS_NODUMP_FL | FS_NOATIME_FL);
    int fd = open("directory/heir", O_RDONLY), flags = 0;
    SHOW(ioctl(fd, FS_IOC_GETFLAGS, &flags));
    SHOW(flags);
    struct fsxattr attributes = {0};
    SHOW(ioctl(fd, FS_IOC_FSGETXATTR, &attributes));
    SHOW(attributes.fsx_xflags);
    attributes.fsx_xflags = FS_XFLAG_APPEND;
    SHOW(ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
    SHOW(ioctl(fd, FS_IOC_GETFLAGS, &flags));
    SHOW(flags);
    attributes.fsx_projid = 3;
    SHOW(ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
    set_flags("directory/heir", 0);
    set_flags("directory", 0);
}

int main(void) {
    char directory[] = "/dev/shm/runsc-py-flags-XXXXXX", command[100];
    CHECK(mkdtemp(directory) != NULL && chmod(directory, 0755) == 0 && chdir(directory) == 0);
    put_file("file", "content");
    put_file("other", "x");
    CHECK(mkdir("directory", 0755) == 0 && mkfifo("fifo", 0600) == 0);
    put_file("directory/there", "x");
    set_flags("file", FS_IMMUTABLE_FL);
    show_statx("file");
    show_statx("fifo");
    attempts("file");
    set_flags("file", FS_APPEND_FL);
    attempts("file");
    set_flags("file", FS_SYNC_FL);
    set_flags("file", FS_NODUMP_FL | FS_NOATIME_FL);
    set_flags("file", 0);
    set_flags("/dev/null", 0);
    set_flags("/proc/self/status", 0);
    set_flags("directory", FS_IMMUTABLE_FL);
    in_directory();
    set_flags("directory", FS_APPEND_FL);
    in_directory();
    set_flags("directory", 0);
    as_another_user();
    inherited();
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}
