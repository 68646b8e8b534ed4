/* security.capability: formats, what execve(2) makes of it, what takes it away; with user
 * namespaces, where revision 3 belongs to. */
#include "guest.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#define NAME "security.capability"
#define NET_RAW (1u << CAP_NET_RAW)

static void show_self(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    CHECK(syscall(SYS_capget, &header, data) == 0);
    printf("permitted %08x effective %08x secure %ld dumpable %d\n", data[0].permitted,
           data[0].effective, getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE));
}

static void mark(const char *path, uint32_t permitted, uint32_t inheritable, bool effective) {
    struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2 | (effective ? 1 : 0)};
    data.data[0].permitted = permitted;
    data.data[0].inheritable = inheritable;
    printf("mark: %s\n", setxattr(path, NAME, &data, sizeof data, 0) ? errno_name(errno) : "ok");
}

static void show_mark(const char *path) {
    struct vfs_ns_cap_data data;
    memset(&data, 0xff, sizeof data);
    ssize_t size = getxattr(path, NAME, &data, sizeof data);
    if (size < 0)
        printf("mark of %s: %s\n", path, errno_name(errno));
    else
        printf("mark of %s: %zd bytes, %08x %08x %08x root %d\n", path, size, data.magic_etc,
               data.data[0].permitted, data.data[0].inheritable,
               size == sizeof data ? (int)data.rootid : -1);
}

static void copy_self(const char *to) {
    char buffer[65536];
    ssize_t count;
    int source = open("/proc/self/exe", O_RDONLY), target = open(to, O_WRONLY | O_CREAT, 0755);
    CHECK(source >= 0 && target >= 0);
    while ((count = read(source, buffer, sizeof buffer)) > 0)
        CHECK(write(target, buffer, count) == count);
    CHECK(fchmod(target, 0755) == 0);
    close(source);
    close(target);
}

/* Run ./program as a user without capabilities. */
static void run(const char *what, bool no_new_privileges, uint32_t inheritable, int bounding) {
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
        struct __user_cap_data_struct data[2] = {{0}};
        if (bounding >= 0)
            CHECK(prctl(PR_CAPBSET_DROP, bounding) == 0);
        CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
        become_nobody();
        data[0].inheritable = inheritable;
        CHECK(syscall(SYS_capset, &header, data) == 0);
        if (no_new_privileges)
            CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        execl("./program", "program", "show", NULL);
        printf("exec: %s\n", errno_name(errno));
        _exit(1);
    }
    wait_and_show(what, child);
}

static void formats(void) {
    struct vfs_ns_cap_data data = {.magic_etc = VFS_CAP_REVISION_2};
    data.data[0].permitted = NET_RAW;
    SHOW(setxattr("program", NAME, &data, 4, 0));
    SHOW(setxattr("program", NAME, &data, 0, 0));
    SHOW(setxattr("program", NAME, &data, XATTR_CAPS_SZ_3, 0));
    data.magic_etc = VFS_CAP_REVISION_1;
    SHOW(setxattr("program", NAME, &data, XATTR_CAPS_SZ_1, 0));
    data.magic_etc = 0x07000000;
    SHOW(setxattr("program", NAME, &data, XATTR_CAPS_SZ_2, 0));
    data.magic_etc = VFS_CAP_REVISION_3;
    SHOW(setxattr("program", NAME, &data, XATTR_CAPS_SZ_2, 0));
    data.rootid = 77;
    SHOW(setxattr("program", NAME, &data, XATTR_CAPS_SZ_3, 0));
    show_mark("program");
    run("for another root", false, 0, -1);
    SHOW(removexattr("program", NAME));
    show_mark("program");
}

static void runs(void) {
    run("plain", false, 0, -1);
    mark("program", NET_RAW, 0, true);
    show_mark("program");
    run("effective", false, 0, -1);
    run("no new privileges", true, 0, -1);
    run("out of bounds", false, 0, CAP_NET_RAW);
    mark("program", NET_RAW, 0, false);
    run("permitted only", false, 0, -1);
    run("permitted out of bounds", false, 0, CAP_NET_RAW);
    mark("program", 0, NET_RAW, true);
    run("inheritable, not inherited", false, 0, -1);
    run("inheritable, inherited", false, NET_RAW, -1);
    mark("program", 0, 0, true);
    run("none", false, 0, -1);
}

static void losses(void) {
    mark("program", NET_RAW, 0, true);
    SHOW(chmod("program", 0711));
    show_mark("program");
    SHOW(chown("program", 5, -1));
    show_mark("program");
    mark("program", NET_RAW, 0, true);
    int fd = open("program", O_WRONLY | O_APPEND);
    CHECK(fd >= 0);
    show_mark("program");
    CHECK(write(fd, "x", 1) == 1);
    show_mark("program");
    mark("program", NET_RAW, 0, true);
    CHECK(ftruncate(fd, 1 << 20) == 0);
    show_mark("program");
    close(fd);
    CHECK(mkdir("directory", 0755) == 0);
    mark("directory", NET_RAW, 0, true);
    show_mark("directory");
}

int main(int argc, char **argv) {
    if (argc > 1) {
        (void)argv;
        show_self();
        return 0;
    }
    if (geteuid() != 0) {
        puts("only root can set capabilities");
        return 0;
    }
    CHECK(chmod(".", 0755) == 0);
    copy_self("program");
    formats();
    runs();
    losses();
    return 0;
}
