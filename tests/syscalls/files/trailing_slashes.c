/* Names that end in a slash, in ".", in "..": what each call makes of them. */
#include "guest.h"

#define BOTH(call) SHOW(call), restore()

static void restore(void) {
    rmdir("new");
    unlink("new");
    rmdir("d2");
    unlink("f2");
    unlink("l2");
    mkdir("d", 0755);
    mkdir("d/sub", 0755);
    if (access("f", F_OK))
        put_file("f", "text");
    symlink("d", "dl");
    symlink("f", "fl");
    symlink("missing", "ml");
    rmdir("missing");
    unlink("missing");
}

static int make(const char *path, int flags) {
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
    return fd < 0 ? -1 : close(fd);
}

int main(void) {
    struct stat status;
    char target[16];
    restore();
    static const char *const PATHS[] = {
        "d/",  "d/.", "d/..", "f/",   "f/.",  "dl/",    "dl/.", "fl/", "ml/", "ml", "new/",
        "new/.", ".",  "..",   "/",    "//",   "/..",    "./",   "",    "d//", "d/sub/../", "f/..",
    };
    for (unsigned i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        const char *path = PATHS[i];
        printf("\"%s\":\n", path);
        SHOW(stat(path, &status));
        SHOW(lstat(path, &status));
        SHOW(access(path, F_OK));
        SHOW_OK(open(path, O_RDONLY));
        SHOW_OK(open(path, O_RDONLY | O_NOFOLLOW));
        SHOW_OK(open(path, O_PATH | O_NOFOLLOW));
        BOTH(make(path, 0));
        BOTH(make(path, O_EXCL));
        BOTH(make(path, O_DIRECTORY));
        BOTH(mkdir(path, 0755));
        BOTH(mknod(path, S_IFIFO | 0644, 0));
        BOTH(mknod(path, S_IFREG | 0644, 0));
        BOTH(symlink("x", path));
        BOTH(link("f", path));
        BOTH(link(path, "new"));
        SHOW(readlink(path, target, sizeof target));
        SHOW(truncate(path, 0));
        if (*path != '/' && strcmp(path, "..")) { // nothing of the machine
            SHOW(chmod(path, 0755));
            BOTH(unlink(path));
            BOTH(rmdir(path));
            BOTH(rename(path, "new"));
        }
        BOTH(rename("f", path));
        BOTH(rename("d/sub", path));
        unlink("f2");
    }
}
