/* mount_setattr(2), open_tree_attr: flags and propagation of one mount or of a tree of them. */
#include "contexts.h"

#define OPEN_TREE_ATTR 467
#define ALL_TIMES MOUNT_ATTR__ATIME

static int change(const char *path, unsigned flags, uint64_t sets, uint64_t clears,
                  uint64_t propagation) {
    struct mount_attr attributes = {.attr_set = sets, .attr_clr = clears,
                                    .propagation = propagation};
    return mount_setattr(AT_FDCWD, path, flags, &attributes, sizeof attributes);
}

static void arguments(void) {
    struct mount_attr attributes[200] = {{.attr_set = MOUNT_ATTR_NOEXEC}};
    SHOW(mount_setattr(AT_FDCWD, "a", 2, attributes, sizeof *attributes));
    SHOW(mount_setattr(AT_FDCWD, "a", 0, attributes, 0));
    SHOW(mount_setattr(AT_FDCWD, "a", 0, attributes, sizeof *attributes - 1));
    SHOW(mount_setattr(AT_FDCWD, "a", 0, attributes, 4097));
    SHOW(mount_setattr(AT_FDCWD, "a", 0, attributes, 4096));
    show_mounts("a structure from the future, which is zero");
    attributes[1].attr_set = 1;
    SHOW(mount_setattr(AT_FDCWD, "a", 0, attributes, 2 * sizeof *attributes));
    SHOW(mount_setattr(AT_FDCWD, "a", 0, (void *)8, sizeof *attributes));
    SHOW(mount_setattr(AT_FDCWD, "none", 0, attributes, sizeof *attributes));
    SHOW(mount_setattr(AT_FDCWD, "", 0, attributes, sizeof *attributes));
    SHOW(mount_setattr(99, "a", 0, attributes, sizeof *attributes));
    SHOW(change("plain", 0, MOUNT_ATTR_NOEXEC, 0, 0));
    SHOW(change("none", 0, 0, 0, 0));
    SHOW(change("a", 0, 1 << 10, 0, 0));
    SHOW(change("a", 0, 0, 1 << 10, 0));
    SHOW(change("a", 0, 1ull << 40, 0, 0));
    SHOW(change("a", 0, 0, 0, 1));
    SHOW(change("a", 0, 0, 0, MS_SHARED | MS_SLAVE));
    SHOW(change("a", 0, 0, 0, MS_SHARED | MS_REC));
    SHOW(change("a", 0, MOUNT_ATTR_NOATIME, 0, 0));
    SHOW(change("a", 0, 0, MOUNT_ATTR_NOATIME, 0));
    SHOW(change("a", 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME, ALL_TIMES, 0));
    SHOW(change("a", 0, 0, MOUNT_ATTR_IDMAP, 0));
    show_mounts("nothing of that did anything");
}

static void flags(void) {
    SHOW(change("a", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOEXEC, 0));
    show_mounts("one mount");
    SHOW(mkdir("a/x", 0755));
    SHOW(mkdir("a/b/x", 0755));
    SHOW(change("a", 0, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSUID, 0));
    SHOW(change("a", 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME, ALL_TIMES, 0));
    show_mounts("noatime");
    SHOW(change("a", AT_RECURSIVE, MOUNT_ATTR_STRICTATIME | MOUNT_ATTR_NODEV, ALL_TIMES, 0));
    show_mounts("recursively strictatime");
    SHOW(change("a", AT_RECURSIVE, MOUNT_ATTR_NOSYMFOLLOW,
                ALL_TIMES | MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_RDONLY, 0));
    show_mounts("relatime is the default");
    int fd = open("a/b/file", O_WRONLY | O_CREAT, 0644);
    SHOW(change("a", 0, MOUNT_ATTR_RDONLY, 0, 0));
    SHOW(change("a", AT_RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, 0, 0));
    show_mounts("all or nothing");
    CHECK(close(fd) == 0);
    SHOW(change("a", AT_RECURSIVE, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, 0));
    CHECK(symlink("a", "link") == 0);
    SHOW(change("link", AT_SYMLINK_NOFOLLOW, MOUNT_ATTR_NOEXEC, 0, 0));
    SHOW(change("link", 0, MOUNT_ATTR_NOEXEC, 0, 0));
    fd = open("a/b", O_PATH);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_NOSUID};
    SHOW(mount_setattr(fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes));
    show_mounts("by a descriptor");
    CHECK(close(fd) == 0);
}

static void propagation(void) {
    SHOW(change("a", AT_RECURSIVE, 0, 0, MS_SHARED));
    show_mounts("shared");
    CHECK(mount("a", "copy", NULL, MS_BIND | MS_REC, NULL) == 0);
    SHOW(change("copy", 0, MOUNT_ATTR_RDONLY, 0, MS_SLAVE));
    show_mounts("a read-only slave");
    SHOW(change("copy", AT_RECURSIVE, 0, MOUNT_ATTR_RDONLY, MS_UNBINDABLE));
    show_mounts("unbindable");
    SHOW(change("a", AT_RECURSIVE, 0, 0, MS_PRIVATE));
    show_mounts("private");
    CHECK(umount2("copy", MNT_DETACH) == 0);
}

static void detached(void) {
    int fd = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE);
    CHECK(fd >= 0);
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    SHOW(mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes));
    SHOW(mkdirat(fd, "b/y", 0755));
    SHOW(move_mount(fd, "", AT_FDCWD, "copy", MOVE_MOUNT_F_EMPTY_PATH));
    show_mounts("a read-only copy");
    CHECK(close(fd) == 0 && umount2("copy", MNT_DETACH) == 0);
    SHOW(fd = (int)syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", OPEN_TREE_CLONE, NULL, 5) < 0);
    SHOW(syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", OPEN_TREE_CLONE, &attributes, 5));
    attributes.attr_set = MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV;
    fd = (int)syscall(OPEN_TREE_ATTR, AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE, &attributes,
                      sizeof attributes);
    CHECK(fd >= 0);
    SHOW(move_mount(fd, "", AT_FDCWD, "copy", MOVE_MOUNT_F_EMPTY_PATH));
    show_mounts("a copy with attributes");
    CHECK(close(fd) == 0 && umount2("copy", MNT_DETACH) == 0);
}

#define SET_GROUP 0x100

static void groups(void) {
    CHECK(mount("a", "copy", NULL, MS_BIND, NULL) == 0);
    SHOW(move_mount(AT_FDCWD, "a", AT_FDCWD, "copy", SET_GROUP));
    CHECK(change("a", 0, 0, 0, MS_SHARED) == 0);
    SHOW(move_mount(AT_FDCWD, "a", AT_FDCWD, "a/b", SET_GROUP));
    SHOW(move_mount(AT_FDCWD, "a", AT_FDCWD, "plain", SET_GROUP));
    SHOW(move_mount(AT_FDCWD, "a", AT_FDCWD, "copy", SET_GROUP | 0x200));
    SHOW(move_mount(AT_FDCWD, "a", AT_FDCWD, "copy", SET_GROUP));
    show_mounts("in one group");
    SHOW(move_mount(AT_FDCWD, "a", AT_FDCWD, "copy", SET_GROUP));
    CHECK(change("copy", 0, 0, 0, MS_PRIVATE) == 0);
    CHECK(change("a", 0, 0, 0, MS_PRIVATE) == 0 && umount2("copy", MNT_DETACH) == 0);
}

static void mapping(void) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = 1ull << 40};
    SHOW(mount_setattr(AT_FDCWD, "a", 0, &attributes, sizeof attributes));
    attributes.userns_fd = 99;
    SHOW(mount_setattr(AT_FDCWD, "a", 0, &attributes, sizeof attributes));
    attributes.userns_fd = (uint64_t)open("/dev/null", O_RDONLY);
    SHOW(mount_setattr(AT_FDCWD, "a", 0, &attributes, sizeof attributes));
    attributes.userns_fd = (uint64_t)open("/proc/self/ns/mnt", O_RDONLY);
    SHOW(mount_setattr(AT_FDCWD, "a", 0, &attributes, sizeof attributes));
    attributes.userns_fd = (uint64_t)open("/proc/self/ns/user", O_RDONLY);
    SHOW(mount_setattr(AT_FDCWD, "a", 0, &attributes, sizeof attributes));
}

int main(void) {
    setbuf(stdout, NULL);
    work_in_own_tmpfs();
    make_directories("a plain copy");
    CHECK(mount("a", "a", "tmpfs", 0, "mode=755") == 0);
    make_directories("a/b");
    CHECK(mount("b", "a/b", "tmpfs", 0, "mode=755") == 0);
    arguments();
    flags();
    propagation();
    detached();
    groups();
    mapping();
}
