/* chmod(2), umask(2), chown(2): which bits stay, what creation takes away. */
#include "guest.h"

static void mode(const char *path) {
    struct stat status;
    CHECK(stat(path, &status) == 0);
    printf("%s: %o\n", path, status.st_mode);
}

int main(void) {
    printf("%o\n", umask(027));
    int fd = SHOW(open("file", O_RDWR | O_CREAT, 0666));
    mode("file");
    SHOW(mkdir("directory", 0777));
    mode("directory");
    printf("%o\n", umask(0));
    SHOW(mknod("fifo", S_IFIFO | 0622, 0));
    mode("fifo");
    SHOW(mknod("plain", 0640, 0));
    mode("plain");
    SHOW(mknod("plain", 0640, 0));
    SHOW(fchmod(fd, 0741));
    mode("file");
    SHOW(chmod("directory", 01777));
    mode("directory");
    SHOW(chmod("missing", 0600));
    SHOW(fchmodat(AT_FDCWD, "file", 04755, 0));
    mode("file");
    SHOW(fchown(fd, geteuid(), getegid()));
    mode("file");
    SHOW(symlink("file", "link"));
    SHOW(chmod("link", 0600));
    mode("file");
    SHOW(lchown("link", -1, -1));
    struct stat status;
    SHOW(stat("file", &status));
    SHOW(status.st_uid == geteuid() && status.st_gid == getegid());
    if (geteuid() == 0)
        CHECK(fchown(fd, 65534, 65534) == 0);
    become_nobody();
    SHOW(fchmod(fd, 02755));
    SHOW(write(fd, "x", 1)); /* takes the bit away, where root's write would not */
    SHOW(fstat(fd, &status));
    printf("%o\n", status.st_mode);
    return 0;
}
