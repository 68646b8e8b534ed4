/* utimensat(2) and its relatives: who may set which times, and the special values. */
// guest: user = root
#include "guest.h"
#include <utime.h>

static struct timespec now = {0, UTIME_NOW}, omit = {0, UTIME_OMIT}, old = {100, 200};

static int set(const char *path, struct timespec first, struct timespec second, int flags) {
    struct timespec times[2] = {first, second};
    return utimensat(AT_FDCWD, path, times, flags);
}

static void show(const char *path) {
    struct stat status;
    CHECK(lstat(path, &status) == 0);
    printf("  %s: ", path);
    if (status.st_atim.tv_sec > 1000000)
        printf("now ");
    else
        printf("%ld.%ld ", (long)status.st_atim.tv_sec, status.st_atim.tv_nsec);
    if (status.st_mtim.tv_sec > 1000000)
        printf("now, ");
    else
        printf("%ld.%ld, ", (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    printf("changed %s\n", status.st_ctim.tv_sec > 1000000 ? "now" : "?");
}

static void values(const char *path) {
    struct timespec bad = {5, 1000000000}, negative = {5, -1}, before = {-5, 999999999};
    SHOW(set(path, old, old, 0));
    show(path);
    SHOW(set(path, omit, now, 0));
    show(path);
    SHOW(set(path, now, omit, 0));
    show(path);
    SHOW(set(path, omit, omit, 0));
    SHOW(set("none", omit, omit, 0));
    SHOW(set(path, bad, old, 0));
    SHOW(set(path, old, negative, 0));
    SHOW(set(path, bad, omit, 0));
    SHOW(set(path, before, old, 0));
    show(path);
    SHOW(utimensat(AT_FDCWD, path, NULL, 0));
    show(path);
    SHOW(set(path, old, old, 1));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, NULL, NULL, 0));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, path, 8, 0));
    SHOW(set("", old, old, 0));
    int fd = open(path, O_RDONLY);
    struct timespec both[2] = {{7, 8}, {9, 10}};
    SHOW(futimens(fd, both));
    show(path);
    SHOW(syscall(SYS_utimensat, fd, NULL, both, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(SYS_utimensat, fd, "", both, AT_EMPTY_PATH));
    CHECK(close(fd) == 0);
    SHOW(futimens(99, both));
    struct timeval coarse[2] = {{3, 4}, {5, 999999}}, wrong[2] = {{3, 1000000}, {0, 0}};
    SHOW(utimes(path, coarse));
    show(path);
    SHOW(utimes(path, wrong));
    struct utimbuf seconds = {11, 12};
    SHOW(utime(path, &seconds));
    show(path);
    CHECK(symlink(path, "link") == 0);
    SHOW(set("link", old, old, AT_SYMLINK_NOFOLLOW));
    show("link");
    SHOW(set("link", omit, now, 0));
    show(path);
    CHECK(unlink("link") == 0);
}

static void rights(mode_t mode, uid_t owner) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(chmod("f", mode) == 0 && chown("f", owner, 0) == 0);
        CHECK(setresgid(1234, 1234, 1234) == 0 && setresuid(1234, 1234, 1234) == 0);
        printf("mode %o, owner %d\n", mode, owner);
        SHOW(utimensat(AT_FDCWD, "f", NULL, 0));
        SHOW(set("f", now, now, 0));
        SHOW(set("f", omit, now, 0));
        SHOW(set("f", now, omit, 0));
        SHOW(set("f", old, now, 0));
        SHOW(set("f", old, old, 0));
        SHOW(set("f", omit, omit, 0));
        SHOW(utime("f", NULL));
        fflush(stdout);
        _exit(0);
    }
    wait_and_show("rights", child);
}

int main(void) {
    put_file("f", "text");
    CHECK(mkdir("d", 0755) == 0);
    values("f");
    values("d");
    rights(0600, 0);
    rights(0666, 0);
    rights(0444, 1234);
    rights(0200, 1234);
}
