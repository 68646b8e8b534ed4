/* The calls with a directory descriptor: relative, absolute, not a directory, closed. */
#include "guest.h"

int main(void) {
    SHOW(mkdir("d", 0755));
    int d = SHOW(open("d", O_RDONLY | O_DIRECTORY));
    int fd = SHOW(openat(d, "file", O_RDWR | O_CREAT, 0600));
    SHOW(write(fd, "x", 1));
    SHOW(mkdirat(d, "sub", 0755));
    SHOW(symlinkat("file", d, "link"));
    SHOW(linkat(d, "file", AT_FDCWD, "outside", 0));
    SHOW(renameat(d, "sub", AT_FDCWD, "sub"));
    SHOW(access("sub", F_OK));
    show_file("d/link");
    SHOW(openat(fd, "x", O_RDONLY));
    SHOW(openat(77, "x", O_RDONLY));
    SHOW(openat(77, "/dev/null", O_RDONLY) >= 0);
    SHOW(fchmodat(d, "file", 0640, 0));
    struct stat status;
    SHOW(fstatat(d, "link", &status, AT_SYMLINK_NOFOLLOW));
    SHOW(S_ISLNK(status.st_mode));
    SHOW(unlinkat(d, "link", 0));
    SHOW(unlinkat(d, "file", AT_REMOVEDIR));
    SHOW(unlinkat(d, "file", 0x8000));
    SHOW(fchdir(d));
    SHOW(access("file", F_OK));
    SHOW(fchdir(fd));
    SHOW(openat(d, "../outside", O_RDONLY) >= 0);
    SHOW(mknodat(d, "fifo", S_IFIFO | 0600, 0));
    SHOW(fchownat(d, "file", -1, -1, 0));
    SHOW(faccessat(d, "fifo", R_OK, 0));
    return 0;
}
