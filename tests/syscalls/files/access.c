/* access(2), faccessat(2): modes that do not exist, the real user, execute permission of root. */
#include "guest.h"

int main(void) {
    put_file("file", "x");
    SHOW(chmod("file", 0644));
    SHOW(access("file", R_OK | W_OK));
    SHOW(access("file", X_OK));
    SHOW(access("file", 9));
    SHOW(chmod("file", 0755));
    SHOW(access("file", R_OK | W_OK | X_OK));
    SHOW(access(".", R_OK | X_OK));
    SHOW(access("missing", F_OK));
    SHOW(access("file/x", F_OK));
    SHOW(access("", F_OK));
    SHOW(symlink("missing", "dangling"));
    SHOW(access("dangling", F_OK));
    SHOW(faccessat(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
    int fd = SHOW(open(".", O_RDONLY | O_DIRECTORY));
    SHOW(faccessat(fd, "file", R_OK, 0));
    SHOW(faccessat(fd, "file", X_OK, AT_EACCESS));
    SHOW(faccessat(77, "file", R_OK, 0));
    SHOW(syscall(SYS_access, (char *)1, F_OK));
    return 0;
}
