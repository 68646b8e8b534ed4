/* When set-id bits go: writes, truncation and chown by whom; and what chmod may set. */
#include "guest.h"

static void show_mode(const char *path) {
    struct stat status;
    CHECK(stat(path, &status) == 0);
    printf("%s %o\n", path, status.st_mode & 07777);
}

int main(void) {
    int fd = SHOW(open("file", O_RDWR | O_CREAT, 0755));
    SHOW(fchmod(fd, 06755));
    show_mode("file");
    SHOW(chown("file", -1, -1));
    show_mode("file");
    SHOW(chmod("file", 06644));
    SHOW(chown("file", getuid(), getgid()));
    show_mode("file");
    SHOW(mkdir("d", 0755));
    SHOW(chmod("d", 07755));
    SHOW(chown("d", getuid(), getgid()));
    show_mode("d");
    umask(027);
    SHOW(mkdir("d/inner", 0777));
    show_mode("d/inner");
    SHOW(mkdir("masked", 07777));
    show_mode("masked");
    int made = SHOW(open("made", O_CREAT | O_WRONLY, 07777));
    (void)made;
    show_mode("made");
    SHOW(mknod("node", S_IFREG | 0666, 0));
    show_mode("node");
    SHOW(mknod("wrong", S_IFDIR | 0666, 0));
    SHOW(mknod("wrong", 0150000 | 0666, 0));
    SHOW(umask(0777));
    SHOW(umask(01777));
    SHOW(umask(0));
    return 0;
}
