/* umount2(2): busy mounts, lazy ones and their submounts, MNT_EXPIRE, UMOUNT_NOFOLLOW, the root. */
#include "mounts.h"

static void lazy(void) {
    make_directories("l");
    CHECK(mount("l", "l", "tmpfs", 0, NULL) == 0);
    make_directories("l/in");
    CHECK(mount("in", "l/in", "tmpfs", 0, NULL) == 0);
    put_file("l/f", "outer");
    put_file("l/in/f", "inner");
    int outer = open("l", O_RDONLY | O_DIRECTORY);
    int inner = open("l/in", O_RDONLY | O_DIRECTORY);
    SHOW(umount("l"));
    SHOW(umount("l/in"));
    SHOW(umount2("l", MNT_DETACH));
    SHOW(access("l/f", F_OK));
    SHOW(faccessat(outer, "f", F_OK, 0));
    SHOW(faccessat(outer, "in/f", F_OK, 0));
    SHOW(faccessat(inner, "f", F_OK, 0));
    SHOW(faccessat(inner, "../f", F_OK, 0));
    SHOW(fchdir(inner));
    char name[300];
    SHOW_OK(getcwd(name, sizeof name) ? 0 : -1);
    long length = syscall(SYS_getcwd, name, sizeof name);
    printf("%s\n", length > 0 ? name : errno_name(errno));
    SHOW(mkdir("new", 0755));
    SHOW(mount("x", "new", "tmpfs", 0, NULL));
    SHOW(mount("new", work_directory, NULL, MS_BIND, NULL));
    SHOW(chdir(work_directory));
    SHOW(faccessat(inner, "new", F_OK, 0));
    close(inner);
    close(outer);
}

static void arguments(void) {
    make_directories("d d/sub");
    CHECK(symlink("d", "link") == 0);
    SHOW(umount2("d", 16));
    SHOW(umount("d"));
    SHOW(umount("missing"));
    CHECK(mount("d", "d", "tmpfs", 0, NULL) == 0);
    SHOW(umount2("link", UMOUNT_NOFOLLOW));
    SHOW(umount2("link", 0));
    SHOW(mount("d", "d", "tmpfs", 0, NULL));
    SHOW(mount("d", "d", "tmpfs", 0, NULL));
    show_mounts("two");
    SHOW(umount2("d", MNT_FORCE));
    SHOW(umount2("d", UMOUNT_NOFOLLOW));
    SHOW(umount2("d", UMOUNT_NOFOLLOW));
    int fd = open("d", O_RDONLY | O_DIRECTORY);
    CHECK(mount("d", "d", "tmpfs", 0, NULL) == 0);
    SHOW(chdir("d"));
    SHOW(umount("."));
    SHOW(chdir(".."));
    SHOW(umount("d"));
    close(fd);
}

static void expire(void) {
    CHECK(mount("d", "d", "tmpfs", 0, NULL) == 0);
    SHOW(umount2("d", MNT_EXPIRE | MNT_DETACH));
    SHOW(umount2("d", MNT_EXPIRE | MNT_FORCE));
    SHOW(umount2("d", MNT_EXPIRE));
    SHOW(access("d/nothing", F_OK));
    SHOW(umount2("d", MNT_EXPIRE));
    int fd = open("d", O_RDONLY);
    SHOW(umount2("d", MNT_EXPIRE));
    close(fd);
    SHOW(umount2("d", MNT_EXPIRE));
    SHOW(umount2("d", MNT_EXPIRE));
    SHOW(umount2("d", MNT_EXPIRE));
}

static void as_nobody(void) {
    CHECK(mount("d", "d", "tmpfs", 0, NULL) == 0);
    pid_t child = fork();
    if (!child) {
        become_nobody();
        SHOW(umount("d"));
        SHOW(umount("missing"));
        SHOW(umount2("d", 16));
        SHOW(mount("x", "d", "tmpfs", 0, NULL));
        SHOW(mount("x", "missing", "tmpfs", 0, NULL));
        SHOW(mount("x", "d", "nosuchtype", 0, NULL));
        SHOW(mount(NULL, "d", NULL, MS_PRIVATE, NULL));
        SHOW(syscall(SYS_pivot_root, "missing", "missing"));
        _exit(0);
    }
    wait_and_show("nobody", child);
    SHOW(umount("d"));
}

static void names_and_types(void) {
    put_file("file", "");
    SHOW(mount("x", "d", "nosuchtype", 0, NULL));
    SHOW(mount("x", "d", NULL, 0, NULL));
    SHOW(mount("x", "file", "tmpfs", 0, NULL));
    SHOW(mount("x", "d", "tmpfs", 0, "nonsense"));
    SHOW(mount(NULL, "d", "tmpfs", 0, NULL));
    show_mounts("no source");
    SHOW(umount("d"));
    SHOW(mount("", "d", "tmpfs", 0, NULL));
    show_mounts("empty source");
    SHOW(umount("d"));
    SHOW(mount("with space\\and\ttab", "d", "tmpfs", 0, NULL));
    show_mounts("escaped");
    SHOW(rmdir("d"));
    SHOW(rename("d", "d2"));
    SHOW(umount("d"));
    SHOW(mount(NULL, "d", NULL, MS_BIND, NULL));
    SHOW(mount("", "d", NULL, MS_BIND, NULL));
    SHOW(mount("missing", "d", NULL, MS_BIND, NULL));
    SHOW(mount("file", "d", NULL, MS_BIND, NULL));
    SHOW(mount("d", "file", NULL, MS_BIND, NULL));
    SHOW(mount("file", "file", NULL, MS_BIND, NULL));
    SHOW(unlink("file"));
    SHOW(umount("file"));
    SHOW(mount("x", "d", "tmpfs", MS_BIND | MS_NOEXEC, NULL));
    SHOW(mount("d", "d", NULL, MS_BIND | MS_NOEXEC | MS_RDONLY, NULL));
    show_mounts("a bind takes no flags");
    SHOW(umount("d"));
    SHOW(mount((void *)8, "d", "tmpfs", 0, NULL));
    SHOW(mount("x", (void *)8, "tmpfs", 0, NULL));
    SHOW(mount("x", "d", (void *)8, 0, NULL));
    SHOW(mount("x", "d", "tmpfs", 0, (void *)8));
    SHOW(mount("x", "d", "tmpfs", 1UL << 31, NULL));
    SHOW(mount("x", "d", "tmpfs", 0xC0ED0000, NULL));
    SHOW(umount("d"));
}

int main(void) {
    work_in_own_tmpfs();
    lazy();
    arguments();
    expire();
    as_nobody();
    names_and_types();
    SHOW(chroot("d"));
    SHOW(chdir("/"));
    SHOW(umount("/"));
    SHOW(umount2("/", MNT_DETACH));
    return 0;
}
