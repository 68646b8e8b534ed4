/* /proc/sys/user/max_*_namespaces: how many namespaces a user may make, each user namespace by itself. */
// guest: user = root
#include "guest.h"

#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>

static const struct {
    const char *name;
    int flag;
} kinds[] = {{"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC}, {"mnt", CLONE_NEWNS},
             {"net", CLONE_NEWNET},       {"pid", CLONE_NEWPID}, {"time", 0x80},
             {"uts", CLONE_NEWUTS}};

static void write_setting(const char *kind, const char *value) {
    char path[80];
    snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", kind);
    int fd = open(path, O_WRONLY);
    if (fd < 0) {
        printf("%s: open: %s\n", kind, errno_name(errno));
        return;
    }
    errno = 0;
    ssize_t size = write(fd, value, strlen(value));
    printf("%s = %s: %s\n", kind, value, size < 0 ? errno_name(errno) : "ok");
    close(fd);
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void become_root_of_new_namespace(void) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    char map[40];
    SHOW(unshare(CLONE_NEWUSER));
    put("/proc/self/setgroups", "deny");
    sprintf(map, "0 %d 1", uid);
    put("/proc/self/uid_map", map);
    sprintf(map, "0 %d 1", gid);
    put("/proc/self/gid_map", map);
}

static void try_kinds(void) {
    for (unsigned number = 0; number < sizeof kinds / sizeof *kinds; number++) {
        char path[80];
        snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", kinds[number].name);
        show_file(path);
        write_setting(kinds[number].name, "0");
        SHOW(unshare(kinds[number].flag));
        write_setting(kinds[number].name, "1");
        pid_t child = fork();
        if (child == 0) {
            SHOW(unshare(kinds[number].flag));
            SHOW(unshare(kinds[number].flag) == 0 ? 0 : -1);
            _exit(0);
        }
        wait_and_show(kinds[number].name, child);
    }
}

int main(void) {
    become_nobody();
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    write_setting("uts", "5");
    SHOW(access("/proc/sys/user/max_uts_namespaces", W_OK));
    pid_t child = fork();
    if (child == 0) {
        become_root_of_new_namespace();
        SHOW(access("/proc/sys/user/max_uts_namespaces", W_OK));
        try_kinds();
        write_setting("uts", "-1");
        write_setting("uts", "x");
        write_setting("uts", "2147483648");
        write_setting("uts", " 7\n");
        show_file("/proc/sys/user/max_uts_namespaces");
        write_setting("user", "1");
        child = fork();
        if (child == 0) {
            become_root_of_new_namespace();
            show_file("/proc/sys/user/max_user_namespaces");
            show_file("/proc/sys/user/max_uts_namespaces");
            SHOW(unshare(CLONE_NEWUSER));
            write_setting("uts", "1");
            show_file("/proc/sys/user/max_uts_namespaces");
            _exit(0);
        }
        wait_and_show("inner", child);
        show_file("/proc/sys/user/max_uts_namespaces");
        _exit(0);
    }
    wait_and_show("outer", child);
    return 0;
}
