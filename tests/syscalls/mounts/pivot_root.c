/* pivot_root(2): what it refuses, and what roots and working directories become. */
#include "mounts.h"

static long pivot(const char *new_root, const char *put_old) {
    return syscall(SYS_pivot_root, new_root, put_old);
}

static void refusals(void) {
    make_directories("dir root other shared");
    put_file("file", "");
    SHOW(pivot("missing", "dir"));
    SHOW(pivot("dir", "missing"));
    SHOW(pivot("file", "dir"));
    SHOW(pivot("dir", "file"));
    SHOW(pivot("dir", "dir"));
    CHECK(mount("root", "root", "tmpfs", 0, NULL) == 0);
    CHECK(mount("other", "other", "tmpfs", 0, NULL) == 0);
    make_directories("root/old root/sub other/old");
    SHOW(pivot("root/sub", "root/old"));
    SHOW(pivot("root", "other/old"));
    SHOW(pivot("root", "/"));
    SHOW(pivot("/", "root/old"));
    SHOW(pivot("root", "dir"));
    CHECK(mount(NULL, "root", NULL, MS_SHARED, NULL) == 0);
    SHOW(pivot("root", "root/old"));
    CHECK(mount(NULL, "root", NULL, MS_PRIVATE, NULL) == 0);
    CHECK(mount(NULL, ".", NULL, MS_SHARED, NULL) == 0);
    SHOW(pivot("root", "root/old"));
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    CHECK(mount(NULL, ".", NULL, MS_PRIVATE, NULL) == 0);
    CHECK(chdir("root/sub") == 0);
    SHOW(rmdir("../sub"));
    SHOW(pivot(".", "../old"));
    CHECK(fchdir(fd) == 0);
    close(fd);
}

static void with_old_root(void) {
    CHECK(chdir("root") == 0);
    put_file("here", "");
    int outside = open("../file", O_RDONLY);
    pid_t child = fork();
    if (!child) {
        CHECK(chroot(".") == 0);
        SHOW(pivot(".", "old"));
        _exit(0);
    }
    wait_and_show("in a chroot on a mount", child);
    SHOW(pivot(".", "old"));
    SHOW(access("/here", F_OK));
    SHOW(access("here", F_OK));
    SHOW(access("/old/proc/self", F_OK));
    char name[300];
    printf("%s\n", getcwd(name, sizeof name));
    SHOW(chdir("/old"));
    printf("%s\n", getcwd(name, sizeof name));
    SHOW(chdir("/.."));
    printf("%s\n", getcwd(name, sizeof name));
    SHOW(umount("/old"));
    SHOW(umount2("/old", MNT_DETACH));
    SHOW(access("/old/proc", F_OK));
    SHOW(access("/proc", F_OK));
    close(outside);
}

static void stacked(void) {
    CHECK(mkdir("/new", 0755) == 0);
    CHECK(mount("new", "/new", "tmpfs", 0, NULL) == 0);
    put_file("/new/second", "");
    int old = open("/", O_RDONLY | O_DIRECTORY);
    SHOW(chdir("/new"));
    SHOW(pivot(".", "."));
    SHOW(access("/second", F_OK));
    SHOW(access("/here", F_OK));
    SHOW(access("here", F_OK));
    SHOW(fchdir(old));
    SHOW(access("here", F_OK));
    SHOW(umount2(".", MNT_DETACH));
    SHOW(access("here", F_OK));
    SHOW(access("/second", F_OK));
    SHOW(chdir("/"));
    SHOW(access("second", F_OK));
    SHOW(access("/here", F_OK));
}

int main(void) {
    work_in_own_tmpfs();
    refusals();
    with_old_root();
    stacked();
    return 0;
}
