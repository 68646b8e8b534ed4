/* link(2), unlink(2), rmdir(2): counts, files that live on while open, what cannot be removed. */
#include "guest.h"

static void links(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0)
        printf("%s: %lu links\n", path, (unsigned long)status.st_nlink);
    else
        printf("%s: %s\n", path, errno_name(errno));
}

int main(void) {
    put_file("a", "text");
    SHOW(link("a", "b"));
    links("a");
    SHOW(link("a", "b"));
    SHOW(link("missing", "c"));
    SHOW(mkdir("d", 0755));
    SHOW(link("d", "e"));
    SHOW(unlink("a"));
    links("b");
    links("a");
    int fd = SHOW(open("b", O_RDWR));
    SHOW(unlink("b"));
    struct stat status;
    SHOW(fstat(fd, &status));
    printf("%lu links\n", (unsigned long)status.st_nlink);
    char data[8] = "";
    SHOW(read(fd, data, 8));
    puts(data);
    SHOW(pwrite(fd, "T", 1, 0));
    SHOW(pread(fd, data, 4, 0));
    puts(data);
    SHOW(close(fd));
    SHOW(unlink("d"));
    SHOW(unlink("missing"));
    put_file("file", "x");
    SHOW(rmdir("file"));
    put_file("d/inner", "x");
    SHOW(rmdir("d"));
    SHOW(unlinkat(AT_FDCWD, "d", 0));
    SHOW(unlink("d/inner"));
    SHOW(rmdir("d/."));
    SHOW(rmdir("d/.."));
    SHOW(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
    SHOW(rmdir("d"));
    SHOW(mkdir("gone", 0755));
    SHOW(chdir("gone"));
    SHOW(rmdir("../gone"));
    SHOW(open("new", O_WRONLY | O_CREAT, 0600));
    SHOW(mkdir("sub", 0755));
    SHOW(stat(".", &status));
    SHOW(chdir(".."));
    SHOW(symlink("file", "soft"));
    SHOW(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard-of-soft", 0));
    SHOW(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard-of-file", AT_SYMLINK_FOLLOW));
    links("file");
    SHOW(lstat("hard-of-soft", &status));
    SHOW(S_ISLNK(status.st_mode));
    return 0;
}
