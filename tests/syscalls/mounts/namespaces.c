/* Copies of mount namespaces: peers in an equal user namespace, locked slaves in a lesser one. */
#include "mounts.h"

static int to_child[2], to_parent[2];

static void child_says(void) { CHECK(write(to_parent[1], "x", 1) == 1); }
static void parent_says(void) { CHECK(write(to_child[1], "x", 1) == 1); }
static void wait_for_parent(void) {
    char byte;
    CHECK(read(to_child[0], &byte, 1) == 1);
}
static void wait_for_child(void) {
    char byte;
    CHECK(read(to_parent[0], &byte, 1) == 1);
}

static void write_map(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(fd) == 0);
}

static void in_peer(void) {
    CHECK(unshare(CLONE_NEWNS) == 0);
    show_mounts("a copied namespace");
    child_says();
    wait_for_parent();
    show_mounts("mounted in the first one");
    CHECK(mount("second", "p/b", "tmpfs", 0, NULL) == 0);
    CHECK(mount("secret", "q", "tmpfs", 0, NULL) == 0);
    child_says();
    wait_for_parent();
    show_mounts("unmounted in the first one");
}

static void peers(void) {
    make_directories("p q u");
    CHECK(mount("p", "p", "tmpfs", 0, NULL) == 0);
    CHECK(mount("u", "u", "tmpfs", 0, NULL) == 0);
    make_directories("p/a p/b");
    CHECK(mount(NULL, "p", NULL, MS_SHARED, NULL) == 0);
    CHECK(mount(NULL, "u", NULL, MS_UNBINDABLE, NULL) == 0);
    pid_t child = fork();
    if (!child) {
        in_peer();
        _exit(0);
    }
    wait_for_child();
    CHECK(mount("first", "p/a", "tmpfs", 0, NULL) == 0);
    parent_says();
    wait_for_child();
    show_mounts("mounted in the second one");
    CHECK(umount("p/a") == 0);
    parent_says();
    wait_and_show("peer", child);
    show_mounts("its namespace is gone");
    CHECK(mount(NULL, "p", NULL, MS_SLAVE, NULL) == 0);
    show_mounts("no peers are left");
    CHECK(umount2("p", MNT_DETACH) == 0);
    CHECK(umount2("u", MNT_DETACH) == 0);
}

static void in_lesser(void) {
    uid_t uid = geteuid();
    char map[64];
    CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
    write_map("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %d 1", uid);
    write_map("/proc/self/uid_map", map);
    show_mounts("in a lesser namespace");
    child_says();
    wait_for_parent();
    show_mounts("with what came later");
    SHOW(umount("s/a"));
    SHOW(umount("s"));
    SHOW(umount2("s", MNT_DETACH));
    SHOW(mount("s/a", "q", NULL, MS_MOVE, NULL));
    SHOW(mount("s", "q", NULL, MS_BIND, NULL));
    SHOW(mount("s", "q", NULL, MS_BIND | MS_REC, NULL));
    SHOW(mount(NULL, "q", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL));
    SHOW(mount(NULL, "q", NULL, MS_REMOUNT | MS_BIND, NULL));
    SHOW(mount(NULL, "s", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL));
    SHOW(mount(NULL, "s", NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL));
    SHOW(mount(NULL, "s", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOATIME, NULL));
    SHOW(mount(NULL, "s", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOEXEC, NULL));
    SHOW(mount(NULL, "s", NULL, MS_REMOUNT | MS_RDONLY | MS_NODEV, NULL));
    show_mounts("with a copy");
    SHOW(umount("q/a"));
    SHOW(umount2("q", MNT_DETACH));
    SHOW(umount("s/later"));
    SHOW(mount(NULL, "s", NULL, MS_PRIVATE, NULL));
    SHOW(mount("mine", "q", "tmpfs", 0, NULL));
    SHOW(mknod("q/null", S_IFCHR | 0666, 0x103));
    SHOW(umount("q"));
    SHOW(mount(NULL, "u", NULL, MS_UNBINDABLE, NULL));
    SHOW(mount(".", "q", NULL, MS_BIND | MS_REC, NULL));
    show_mounts("in the end");
}

static void lesser(void) {
    make_directories("s");
    CHECK(mount("s", "s", "tmpfs", 0, NULL) == 0);
    CHECK(mount("u", "u", "tmpfs", 0, NULL) == 0);
    make_directories("s/a s/later");
    CHECK(mount(NULL, "s", NULL, MS_SHARED, NULL) == 0);
    CHECK(mount("a", "s/a", "tmpfs", 0, NULL) == 0);
    CHECK(mount(NULL, "s", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL) == 0);
    pid_t child = fork();
    if (!child) {
        in_lesser();
        _exit(0);
    }
    wait_for_child();
    CHECK(mount("later", "s/later", "tmpfs", 0, NULL) == 0);
    parent_says();
    wait_and_show("lesser", child);
    show_mounts("nothing came back");
}

int main(void) {
    work_in_own_tmpfs();
    CHECK(pipe(to_child) == 0);
    CHECK(pipe(to_parent) == 0);
    peers();
    lesser();
    return 0;
}
