/* Files without a name: O_TMPFILE, unlinked but open, and what /proc/self/fd makes of them. */
#include "guest.h"

int main(void) {
    struct stat status;
    char text[64];
    CHECK(mkdir("d", 0755) == 0);
    int fd = SHOW(open("d", O_TMPFILE | O_RDWR, 0640));
    SHOW(write(fd, "text", 4));
    CHECK(fstat(fd, &status) == 0);
    SHOW(status.st_nlink);
    SHOW(status.st_mode);
    SHOW(rmdir("d"));
    CHECK(mkdir("e", 0755) == 0);
    int other = SHOW(open("e", O_TMPFILE | O_WRONLY, 0600));
    SHOW(write(other, "linked", 6));
    snprintf(text, sizeof text, "/proc/self/fd/%d", other);
    SHOW(linkat(AT_FDCWD, text, AT_FDCWD, "e/name", AT_SYMLINK_FOLLOW));
    show_file("e/name");
    CHECK(fstat(other, &status) == 0);
    SHOW(status.st_nlink);
    int closed = SHOW(open("e", O_TMPFILE | O_WRONLY | O_EXCL, 0600));
    snprintf(text, sizeof text, "/proc/self/fd/%d", closed);
    SHOW(linkat(AT_FDCWD, text, AT_FDCWD, "e/never", AT_SYMLINK_FOLLOW));
    SHOW(open("e", O_TMPFILE | O_RDONLY, 0600));
    SHOW(open("e/name", O_TMPFILE | O_RDWR, 0600));
    SHOW(open("missing", O_TMPFILE | O_RDWR, 0600));

    put_file("gone", "still here");
    int open_file = SHOW(open("gone", O_RDWR));
    SHOW(unlink("gone"));
    CHECK(fstat(open_file, &status) == 0);
    SHOW(status.st_nlink);
    snprintf(text, sizeof text, "/proc/self/fd/%d", open_file);
    show_file(text);
    int again = SHOW(open(text, O_RDONLY));
    SHOW(read(again, text, 5));
    snprintf(text, sizeof text, "/proc/self/fd/%d", open_file);
    SHOW(linkat(AT_FDCWD, text, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
    char target[256] = "";
    ssize_t length = readlink(text, target, sizeof target - 1);
    SHOW(length > 0 && strcmp(strrchr(target, '/'), "/gone (deleted)") == 0);

    put_file("replaced", "old");
    put_file("new", "new");
    int old = SHOW(open("replaced", O_RDONLY));
    SHOW(rename("new", "replaced"));
    SHOW(read(old, text, 3));
    printf("%.3s\n", text);
    show_file("replaced");
    return 0;
}
