/* Mounts in a user namespace: what is locked there, which types its administrator may mount, and that
 * no new proc shows what was covered; pivot_root(".", ".").
 */
// guest: user = root
#include "contexts.h"

static void become_administrator(int flags, const char *proc) {
    char path[300];
    CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS | flags) == 0);
    static const char *const FILES[][2] = {
        {"setgroups", "deny"}, {"uid_map", "0 0 1"}, {"gid_map", "0 0 1"}};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/self/%s", proc, FILES[i][0]);
        int fd = open(path, O_WRONLY);
        CHECK(fd >= 0);
        CHECK(write(fd, FILES[i][1], strlen(FILES[i][1])) > 0 && close(fd) == 0);
    }
}

static void locked(void) {
    become_administrator(0, "/proc");
    SHOW(umount("a"));
    SHOW(umount2("a/in", MNT_DETACH));
    SHOW(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND, NULL));
    SHOW(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | MS_NOEXEC, NULL));
    SHOW(mount(NULL, "a", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    SHOW(mount("a", "b", NULL, MS_BIND, NULL));
    SHOW(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
    SHOW(umount("b/in"));
    SHOW(umount("b"));
    SHOW(mount("a/in", "b", NULL, MS_MOVE, NULL));
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};
    SHOW(mount_setattr(AT_FDCWD, "a", 0, &attributes, sizeof attributes));
    attributes.attr_clr = 0;
    attributes.attr_set = MOUNT_ATTR_NOSUID;
    SHOW(mount_setattr(AT_FDCWD, "a", AT_RECURSIVE, &attributes, sizeof attributes));
    int fd;
    FSPICK("a");
    SHOW(set_string(fd, "size", "2m"));
    SHOW(reconfigure(fd));
    CHECK(close(fd) == 0);
    SHOW(open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE) < 0);
    SHOW(open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE | AT_RECURSIVE) < 0);
}

static void types(void) {
    static const char *const TYPES[] = {"tmpfs", "ramfs",   "devpts",   "mqueue",
                                        "cgroup2", "devtmpfs", "proc"};
    become_administrator(0, "/proc");
    for (unsigned i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        int fd;
        printf("%s: ", TYPES[i]);
        if (SHOW(mount("x", "b", TYPES[i], 0, NULL)) == 0)
            CHECK(umount("b") == 0);
        FSOPEN(TYPES[i]);
        SHOW(create(fd));
        CHECK(close(fd) == 0);
    }
    SHOW(mount("x", "b", "sysfs", 0, NULL));
    CHECK(mount("x", "b", "tmpfs", 0, NULL) == 0);
    SHOW(mknod("b/null", S_IFCHR | 0666, 0x103));
    SHOW(mkdir("b/d", 0755));
    SHOW(mount(NULL, "b", NULL, MS_REMOUNT, "size=1m"));
    SHOW(mount("x", "b", "tmpfs", 0, "noswap"));
    SHOW(mount("x", "b", "tmpfs", 0, "uid=5"));
    SHOW(mount("x", "b", "tmpfs", 0, "uid=0"));
}

/* In PID, network and IPC namespaces of its own; proc is to be seen at "p" alone. */
static void revealing(void) {
    become_administrator(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC, "p");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int fd;
        SHOW(mount("x", "b", "proc", 0, NULL));
        SHOW(mount("x", "b", "mqueue", 0, NULL));
        FSOPEN("proc");
        SHOW(create(fd));
        SHOW(fsmount(fd, 0, 0) < 0);
        fflush(stdout);
        _exit(0);
    }
    wait_and_show("inside", child);
}

static void whole_proc(void) {
    CHECK(unshare(CLONE_NEWNS) == 0 && mount("x", "p", "proc", 0, NULL) == 0);
    CHECK(umount2("/proc", MNT_DETACH) == 0);
    revealing();
}

static void covered_proc(void) {
    CHECK(unshare(CLONE_NEWNS) == 0 && mount("x", "p", "proc", 0, NULL) == 0);
    CHECK(umount2("/proc", MNT_DETACH) == 0);
    CHECK(mount("file", "p/uptime", NULL, MS_BIND, NULL) == 0);
    revealing();
}

static void pivot(void) {
    CHECK(unshare(CLONE_NEWNS) == 0 && mount("new", "b", "tmpfs", 0, NULL) == 0);
    CHECK(chdir("b") == 0 && mkdir("x", 0755) == 0);
    SHOW(syscall(SYS_pivot_root, ".", "."));
    SHOW(access("x", F_OK));
    SHOW(umount2(".", MNT_DETACH));
    SHOW(access("x", F_OK));
    SHOW(access("/x", F_OK));
    SHOW(access("/proc", F_OK));
    char name[100];
    SHOW(syscall(SYS_getcwd, name, sizeof name));
    printf("%s\n", name);
}

static void in_a_child(const char *title, void (*part)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        part();
        fflush(stdout);
        _exit(0);
    }
    wait_and_show(title, child);
}

int main(void) {
    work_in_own_tmpfs();
    make_directories("a b p");
    put_file("file", "covers");
    CHECK(mount("a", "a", "tmpfs", MS_NODEV, "size=1m") == 0);
    make_directories("a/in");
    CHECK(mount("in", "a/in", "tmpfs", 0, NULL) == 0);
    CHECK(mount(NULL, "a", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL) == 0);
    in_a_child("locked", locked);
    in_a_child("types", types);
    in_a_child("whole proc", whole_proc);
    in_a_child("covered proc", covered_proc);
    in_a_child("pivot", pivot);
}
