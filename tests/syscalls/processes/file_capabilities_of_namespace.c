/* Namespaced file capabilities: marks made in a user namespace are for its root alone. */
#include "guest.h"
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

#define NAME "security.capability"
#define NET_RAW (1u << CAP_NET_RAW)

static void show_self(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    CHECK(syscall(SYS_capget, &header, data) == 0);
    printf("permitted %08x effective %08x\n", data[0].permitted, data[0].effective);
}

static void show_mark(const char *who) {
    struct vfs_ns_cap_data data;
    ssize_t size = getxattr("program", NAME, &data, sizeof data);
    if (size < 0)
        printf("%s: %s\n", who, errno_name(errno));
    else
        printf("%s: %zd bytes, %08x %08x root %d\n", who, size, data.magic_etc,
               data.data[0].permitted, size == sizeof data ? (int)data.rootid : -1);
}

static void copy_self(void) {
    char buffer[65536];
    ssize_t count;
    int source = open("/proc/self/exe", O_RDONLY);
    int target = open("program", O_WRONLY | O_CREAT, 0755);
    CHECK(source >= 0 && target >= 0);
    while ((count = read(source, buffer, sizeof buffer)) > 0)
        CHECK(write(target, buffer, count) == count);
    close(source);
    close(target);
}

static void run(const char *what) {
    fflush(stdout);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        execl("./program", "program", "show", NULL);
        printf("exec: %s\n", errno_name(errno));
        _exit(1);
    }
    wait_and_show(what, child);
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void in_namespace(uid_t uid, gid_t gid) {
    char map[32];
    struct vfs_cap_data data = {.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE};
    CHECK(unshare(CLONE_NEWUSER) == 0);
    sprintf(map, "0 %d 1", uid);
    put("/proc/self/uid_map", map);
    put("/proc/self/setgroups", "deny");
    sprintf(map, "0 %d 1", gid);
    put("/proc/self/gid_map", map);
    data.data[0].permitted = NET_RAW;
    SHOW(setxattr("program", NAME, &data, sizeof data, 0));
    show_mark("inside");
    SHOW(setxattr("program", "security.other", "x", 1, 0));
    CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT) == 0);
    run("inside");
    exit(0);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        (void)argv;
        show_self();
        return 0;
    }
    if (geteuid() == 0)
        CHECK(chown(".", 65534, 65534) == 0);
    become_nobody();
    copy_self();
    pid_t child = fork();
    if (child == 0)
        in_namespace(geteuid(), getegid());
    wait_and_show("namespace", child);
    show_mark("outside");
    run("outside");
    SHOW(unshare(CLONE_NEWUSER));
    show_mark("unmapped");
    return 0;
}
