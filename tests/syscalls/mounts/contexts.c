/* fsopen(2), fsconfig(2), fsmount(2), fspick(2): the steps, their order, and what they refuse. */
#include "contexts.h"

static void arguments(void) {
    int fd, ordinary = open("/dev/null", O_RDONLY);
    SHOW(fsopen("no such type", 0));
    SHOW(fsopen("tmpfs", 2));
    SHOW(fsopen(NULL, 0));
    fd = fsopen("tmpfs", 0);
    CHECK(fd >= 0);
    printf("flags %o, close-on-exec %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
    char target[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(path, target, sizeof target);
    printf("it is %.*s\n", (int)length, target);
    CHECK(close(fd) == 0);
    FSOPEN("tmpfs");
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fsconfig(-1, FSCONFIG_SET_FLAG, "ro", NULL, 0));
    SHOW(fsconfig(999, FSCONFIG_SET_FLAG, "ro", NULL, 0));
    SHOW(fsconfig(ordinary, FSCONFIG_SET_FLAG, "ro", NULL, 0));
    SHOW(fsconfig(fd, 99, "ro", NULL, 0));
    SHOW(fsconfig(fd, FSCONFIG_SET_FLAG, NULL, NULL, 0));
    SHOW(fsconfig(fd, FSCONFIG_SET_FLAG, "ro", "1", 0));
    SHOW(fsconfig(fd, FSCONFIG_SET_FLAG, "ro", NULL, 1));
    SHOW(fsconfig(fd, FSCONFIG_SET_STRING, "size", NULL, 0));
    SHOW(fsconfig(fd, FSCONFIG_SET_STRING, NULL, "1m", 0));
    SHOW(fsconfig(fd, FSCONFIG_SET_STRING, "size", "1m", 1));
    SHOW(fsconfig(fd, FSCONFIG_SET_STRING, "size", (void *)8, 0));
    SHOW(fsconfig(fd, FSCONFIG_SET_STRING, (void *)8, "1m", 0));
    SHOW(fsconfig(fd, FSCONFIG_SET_BINARY, "size", "1m", 0));
    SHOW(fsconfig(fd, FSCONFIG_SET_BINARY, "size", "1m", 2));
    show_log(fd);
    SHOW(fsconfig(fd, FSCONFIG_SET_BINARY, "size", "1m", (1 << 20) + 1));
    SHOW(fsconfig(fd, FSCONFIG_SET_PATH, "size", "/", -5));
    SHOW(fsconfig(fd, FSCONFIG_SET_PATH, "size", "/", AT_FDCWD));
    show_log(fd);
    SHOW(fsconfig(fd, FSCONFIG_SET_PATH, "size", "", AT_FDCWD));
    SHOW(fsconfig(fd, FSCONFIG_SET_PATH_EMPTY, "size", "", AT_FDCWD));
    show_log(fd);
    SHOW(fsconfig(fd, FSCONFIG_SET_FD, "size", NULL, 999));
    SHOW(fsconfig(fd, FSCONFIG_SET_FD, "size", NULL, -1));
    SHOW(fsconfig(fd, FSCONFIG_SET_FD, "size", NULL, ordinary));
    show_log(fd);
    SHOW(fsconfig(fd, FSCONFIG_CMD_CREATE, "x", NULL, 0));
    SHOW(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
    static char longest[300];
    memset(longest, 'a', 255);
    SHOW(set_string(fd, longest, "x"));
    show_log(fd);
    SHOW(set_string(fd, "source", longest));
    longest[255] = 'a';
    SHOW(set_string(fd, longest, "x"));
    SHOW(set_string(fd, "size", longest));
    show_log(fd);
    SHOW(fsmount(fd, 0, 0));
    SHOW(fsmount(ordinary, 0, 0));
    SHOW(fsmount(999, 0, 0));
    SHOW(fsmount(fd, 2, 0));
    SHOW(fsmount(fd, 0, 0x1000));
    SHOW(fsmount(fd, 0, MOUNT_ATTR_NOATIME | MOUNT_ATTR_STRICTATIME));
    SHOW(fspick(AT_FDCWD, "none", 0));
    SHOW(fspick(AT_FDCWD, work_directory, 0x10));
    SHOW(fspick(AT_FDCWD, "", 0));
    CHECK(mkdir("plain", 0755) == 0);
    SHOW(fspick(AT_FDCWD, "plain", 0));
    char byte;
    SHOW(write(fd, "x", 1));
    SHOW(read(fd, &byte, 1));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(fsconfig(fd, FSCONFIG_SET_STRING, "nothing", "x", 0));
    SHOW(read(fd, &byte, 1));
    SHOW(read(fd, &byte, 1));
    CHECK(close(fd) == 0 && close(ordinary) == 0);
}

static void messages(void) {
    int fd;
    FSOPEN("tmpfs");
    for (int i = 0; i < 12; i++) {
        char name[16];
        snprintf(name, sizeof name, "unknown%d", i);
        CHECK(set_flag(fd, name) == -1 && errno == EINVAL);
    }
    printf("twelve messages, of which the last ones are kept:\n");
    show_log(fd);
    SHOW(set_flag(fd, ""));
    show_log(fd);
    SHOW(set_string(fd, "ro", "anything"));
    SHOW(set_string(fd, "inode64", "1"));
    SHOW(set_flag(fd, "size"));
    SHOW(set_flag(fd, "source"));
    show_log(fd);
    SHOW(set_string(fd, "source", "one"));
    SHOW(set_string(fd, "source", "two"));
    show_log(fd);
    CHECK(close(fd) == 0);
}

static void steps(void) {
    int fd, mount_fd;
    FSOPEN("tmpfs");
    SHOW(set_string(fd, "source", "name"));
    SHOW(set_string(fd, "size", "1m"));
    SHOW(set_string(fd, "mode", "751"));
    SHOW(set_flag(fd, "ro"));
    SHOW(set_flag(fd, "rw"));
    SHOW(set_flag(fd, "sync"));
    SHOW(fsmount(fd, 0, 0));
    SHOW(create(fd));
    SHOW(create(fd));
    SHOW(set_string(fd, "size", "2m"));
    SHOW(reconfigure(fd));
    mount_fd = fsmount(fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME);
    CHECK(mount_fd >= 0);
    printf("flags %o, close-on-exec %d\n", fcntl(mount_fd, F_GETFL) & (O_PATH | O_ACCMODE),
           fcntl(mount_fd, F_GETFD));
    SHOW(fsmount(fd, 0, 0));
    CHECK(mkdirat(mount_fd, "inside", 0755) == 0);
    CHECK(mkdir("m", 0755) == 0);
    SHOW(move_mount(mount_fd, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH));
    show_options("m");
    SHOW(access("m/inside", F_OK));
    SHOW(set_string(fd, "size", "3m"));
    SHOW(reconfigure(fd));
    show_options("m");
    SHOW(set_flag(fd, "ro"));
    SHOW(create(fd));
    SHOW(reconfigure(fd));
    show_options("m");
    SHOW(mkdir("m/other", 0755));
    SHOW(set_flag(fd, "rw"));
    SHOW(set_string(fd, "size", "wrong"));
    show_log(fd);
    SHOW(reconfigure(fd));
    show_options("m");
    SHOW(reconfigure(fd));
    show_options("m");
    CHECK(close(fd) == 0 && close(mount_fd) == 0);
    FSPICK("m");
    SHOW(set_string(fd, "nr_inodes", "100"));
    SHOW(set_flag(fd, "async"));
    SHOW(set_string(fd, "source", "other"));
    SHOW(fsmount(fd, 0, 0));
    SHOW(create(fd));
    SHOW(reconfigure(fd));
    show_options("m");
    CHECK(close(fd) == 0);
    SHOW(umount("m"));
    fd = open("m", O_PATH);
    SHOW(fspick(fd, "", FSPICK_EMPTY_PATH));
    CHECK(close(fd) == 0);
}

static void detached_ends(void) {
    int fd, mount_fd, inside;
    FSOPEN("tmpfs");
    CHECK(create(fd) == 0);
    mount_fd = fsmount(fd, 0, 0);
    CHECK(close(fd) == 0 && mount_fd >= 0);
    inside = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY);
    SHOW(mkdirat(inside, "made", 0755));
    CHECK(close(mount_fd) == 0);
    SHOW(faccessat(inside, "made", F_OK, 0));
    SHOW(move_mount(inside, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH));
    CHECK(close(inside) == 0);
    FSOPEN("tmpfs");
    SHOW(fsconfig(fd, CREATE_EXCLUSIVE, NULL, NULL, 0));
    mount_fd = fsmount(fd, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                                  MOUNT_ATTR_STRICTATIME | MOUNT_ATTR_NODIRATIME);
    SHOW(mkdirat(mount_fd, "made", 0755));
    SHOW(move_mount(mount_fd, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH));
    show_options("m");
    CHECK(close(fd) == 0 && close(mount_fd) == 0);
    SHOW(umount("m"));
}

static void without_rights(void) {
    pid_t child = fork();
    if (child == 0) {
        int fd;
        FSOPEN("tmpfs");
        CHECK(create(fd) == 0);
        CHECK(setresuid(1234, 1234, 1234) == 0);
        SHOW(fsopen("tmpfs", 0));
        SHOW(fsopen("no such type", 0));
        SHOW(fspick(AT_FDCWD, work_directory, 0));
        SHOW(fsmount(fd, 0, 0));
        SHOW(set_flag(fd, "ro"));
        exit(0);
    }
    wait_and_show("child", child);
}

int main(void) {
    setbuf(stdout, NULL);
    work_in_own_tmpfs();
    arguments();
    messages();
    steps();
    detached_ends();
    without_rights();
}
