/* Symbolic links: loops, depth, dangling ones, trailing slashes, readlink(2) itself. */
#include "guest.h"

int main(void) {
    struct stat status;
    char target[16];
    SHOW(symlink("loop-b", "loop-a"));
    SHOW(symlink("loop-a", "loop-b"));
    SHOW(open("loop-a", O_RDONLY));
    SHOW(stat("loop-a/x", &status));
    SHOW(lstat("loop-a", &status));
    printf("size %ld\n", (long)status.st_size);
    SHOW(symlink("self", "self"));
    SHOW(access("self", F_OK));
    put_file("level0", "bottom");
    char from[16], to[16];
    for (int level = 1; level <= 41; level++) {
        sprintf(from, "level%d", level - 1);
        sprintf(to, "level%d", level);
        CHECK(symlink(from, to) == 0);
    }
    show_file("level40");
    show_file("level41");
    SHOW(mkdir("d", 0755));
    put_file("d/inner", "inner");
    SHOW(symlink("d", "to-d"));
    show_file("to-d/inner");
    show_file("to-d/../d/inner");
    SHOW(lstat("to-d", &status));
    SHOW(S_ISLNK(status.st_mode));
    SHOW(lstat("to-d/", &status));
    SHOW(S_ISDIR(status.st_mode));
    SHOW(unlink("to-d/"));
    SHOW(rmdir("to-d"));
    memset(target, 0, sizeof target);
    SHOW(readlink("to-d", target, sizeof target));
    puts(target);
    memset(target, 0, sizeof target);
    SHOW(readlink("loop-a", target, 3));
    puts(target);
    SHOW(readlink("level0", target, 3));
    SHOW(readlink("level1", target, 0));
    SHOW(readlink("missing", target, 3));
    SHOW(symlink("x", "d"));
    SHOW(symlink("", "empty"));
    SHOW(symlink("../d/inner", "d/relative"));
    show_file("d/relative");
    int fd = SHOW(open("to-d", O_PATH | O_NOFOLLOW));
    memset(target, 0, sizeof target);
    SHOW(readlinkat(fd, "", target, sizeof target));
    puts(target);
    return 0;
}
