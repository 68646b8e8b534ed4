/* Mounts by descriptors: detached copies of trees, and where they can be put. */
#include "mounts.h"

#define CLONE_TREE (OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
#define BENEATH 0x200

static void arguments(void) {
    make_directories("a a/in b");
    CHECK(symlink("a", "link") == 0);
    SHOW(open_tree(AT_FDCWD, "a", 2));
    SHOW(open_tree(AT_FDCWD, "a", AT_RECURSIVE));
    SHOW(open_tree(AT_FDCWD, "none", CLONE_TREE));
    SHOW(open_tree(AT_FDCWD, "", CLONE_TREE));
    SHOW(open_tree(99, "a", CLONE_TREE));
    SHOW(move_mount(AT_FDCWD, "a", AT_FDCWD, "b", 0x1000));
    SHOW(move_mount(AT_FDCWD, "a", AT_FDCWD, "b", 0));
    SHOW(move_mount(AT_FDCWD, "", AT_FDCWD, "b", 0));
    int fd = open_tree(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW);
    struct stat status;
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    printf("link: %o\n", status.st_mode & S_IFMT);
    printf("flags %o, close-on-exec %d\n", fcntl(fd, F_GETFL) & (O_PATH | O_ACCMODE),
           fcntl(fd, F_GETFD));
    CHECK(close(fd) == 0);
    fd = open_tree(AT_FDCWD, "link", OPEN_TREE_CLOEXEC);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    printf("directory: %o, close-on-exec %d\n", status.st_mode & S_IFMT, fcntl(fd, F_GETFD));
    SHOW(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH));
    char byte;
    SHOW(read(fd, &byte, 1));
    CHECK(close(fd) == 0);
}

static void detached(void) {
    make_directories("s d d2");
    CHECK(mount("s", "s", "tmpfs", 0, NULL) == 0);
    make_directories("s/sub");
    CHECK(mount("sub", "s/sub", "tmpfs", MS_NOEXEC, NULL) == 0);
    put_file("s/sub/file", "text");
    int single = open_tree(AT_FDCWD, "s", CLONE_TREE);
    int whole = open_tree(AT_FDCWD, "s", CLONE_TREE | AT_RECURSIVE);
    CHECK(single >= 0 && whole >= 0);
    show_mounts("two detached copies");
    SHOW(faccessat(single, "sub/file", F_OK, 0));
    SHOW(faccessat(whole, "sub/file", F_OK, 0));
    SHOW(move_mount(whole, "sub", AT_FDCWD, "d", 0));
    SHOW(move_mount(whole, "", whole, "sub", MOVE_MOUNT_F_EMPTY_PATH));
    SHOW(move_mount(whole, "", AT_FDCWD, "s/sub/file", MOVE_MOUNT_F_EMPTY_PATH));
    SHOW(move_mount(whole, "", AT_FDCWD, "d", MOVE_MOUNT_F_EMPTY_PATH));
    show_mounts("one is put");
    SHOW(move_mount(whole, "", AT_FDCWD, "d2", MOVE_MOUNT_F_EMPTY_PATH));
    show_mounts("and moved on");
    CHECK(close(whole) == 0);
    SHOW(access("d2/sub/file", F_OK));
    int copy = open_tree(single, "", CLONE_TREE | AT_EMPTY_PATH);
    CHECK(copy >= 0);
    CHECK(close(single) == 0);
    int place = open("d", O_PATH);
    SHOW(move_mount(copy, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
    CHECK(close(place) == 0 && close(copy) == 0);
    show_mounts("a copy of a copy");
    CHECK(umount2("d", MNT_DETACH) == 0 && umount2("d2", MNT_DETACH) == 0);
    CHECK(umount2("s", MNT_DETACH) == 0);
}

static void ends_with_its_descriptor(void) {
    CHECK(mount("s", "s", "tmpfs", 0, NULL) == 0);
    int fd = open_tree(AT_FDCWD, "s", CLONE_TREE);
    CHECK(fd >= 0);
    int inside = openat(fd, ".", O_PATH);
    int other = dup(fd);
    CHECK(inside >= 0 && other >= 0);
    CHECK(close(fd) == 0);
    SHOW(move_mount(other, "", AT_FDCWD, "d", MOVE_MOUNT_F_EMPTY_PATH));
    CHECK(umount("d") == -1);
    CHECK(close(other) == 0);
    SHOW(umount2("d", MNT_DETACH));
    SHOW(move_mount(inside, "", AT_FDCWD, "d", MOVE_MOUNT_F_EMPTY_PATH));
    fd = open_tree(AT_FDCWD, "s", CLONE_TREE);
    CHECK(close(inside) == 0);
    inside = openat(fd, ".", O_PATH);
    CHECK(fd >= 0 && inside >= 0 && close(fd) == 0);
    SHOW(move_mount(inside, "", AT_FDCWD, "d", MOVE_MOUNT_F_EMPTY_PATH));
    CHECK(close(inside) == 0);
    SHOW(umount("s"));
}

static void propagates(void) {
    CHECK(mount("s", "s", "tmpfs", 0, NULL) == 0);
    CHECK(mount("d", "d", "tmpfs", 0, NULL) == 0);
    make_directories("d/x d/y");
    CHECK(mount(NULL, "d", NULL, MS_SHARED, NULL) == 0);
    CHECK(mount("d", "d2", NULL, MS_BIND, NULL) == 0);
    int fd = open_tree(AT_FDCWD, "s", CLONE_TREE);
    SHOW(move_mount(fd, "", AT_FDCWD, "d/x", MOVE_MOUNT_F_EMPTY_PATH));
    CHECK(close(fd) == 0);
    show_mounts("put into a shared mount");
    SHOW(move_mount(AT_FDCWD, "d/x", AT_FDCWD, "b", 0));
    fd = open_tree(AT_FDCWD, "d/x", CLONE_TREE);
    CHECK(fd >= 0);
    SHOW(move_mount(fd, "", AT_FDCWD, "b", MOVE_MOUNT_F_EMPTY_PATH));
    CHECK(close(fd) == 0);
    show_mounts("a copy of a shared mount is a peer");
    CHECK(mount(NULL, "s", NULL, MS_UNBINDABLE, NULL) == 0);
    SHOW(open_tree(AT_FDCWD, "s", CLONE_TREE));
    SHOW(move_mount(AT_FDCWD, "s", AT_FDCWD, "d/y", 0));
    CHECK(umount2("b", MNT_DETACH) == 0 && umount2("d2", MNT_DETACH) == 0);
    CHECK(umount2("d", MNT_DETACH) == 0 && umount2("s", MNT_DETACH) == 0);
}

static void beneath(void) {
    CHECK(mount("top", "d", "tmpfs", 0, NULL) == 0);
    CHECK(mount("s", "s", "tmpfs", 0, NULL) == 0);
    put_file("d/mark", "top");
    put_file("s/mark2", "below");
    int fd = open_tree(AT_FDCWD, "s", CLONE_TREE);
    SHOW(move_mount(fd, "", AT_FDCWD, "d2", MOVE_MOUNT_F_EMPTY_PATH | BENEATH));
    SHOW(move_mount(AT_FDCWD, "d", AT_FDCWD, "d", BENEATH));
    SHOW(move_mount(fd, "", AT_FDCWD, "d", MOVE_MOUNT_F_EMPTY_PATH | BENEATH));
    CHECK(close(fd) == 0);
    show_mounts("beneath");
    SHOW(access("d/mark", F_OK));
    SHOW(umount("d"));
    SHOW(access("d/mark2", F_OK));
    SHOW(umount("d"));
    SHOW(umount("s"));
}

int main(void) {
    work_in_own_tmpfs();
    arguments();
    detached();
    ends_with_its_descriptor();
    propagates();
    beneath();
}
