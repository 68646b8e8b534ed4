/* user_namespaces(7): who may write which maps, and what ids without a mapping can do. */
// guest: user = root
// guest: timeout = 30
#include "guest.h"

#include <sched.h>
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

static int ends[2], back[2];

static int setgroups_(size_t count) {
    static const gid_t groups[1] = {10};
    return setgroups(count, groups);
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    if (fd < 0) {
        printf("%s: open %s\n", strrchr(path, '/') + 1, errno_name(errno));
        return;
    }
    errno = 0;
    ssize_t size = write(fd, text, strlen(text));
    printf("%s \"%s\": %s\n", strrchr(path, '/') + 1, text, size < 0 ? errno_name(errno) : "ok");
    close(fd);
}

static void show_ids(const char *who) {
    uid_t r, e, s;
    gid_t rg, eg, sg;
    getresuid(&r, &e, &s);
    getresgid(&rg, &eg, &sg);
    printf("%s: %u %u %u / %u %u %u\n", who, r, e, s, rg, eg, sg);
}

static unsigned long long capabilities(const char *which) {
    char line[256];
    unsigned long long value = 0;
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file);
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, which, 6))
            value = strtoull(line + 7, NULL, 16);
    fclose(file);
    return value;
}

static void show_capabilities(const char *who) {
    printf("%s: inh %d prm %d eff %d bnd %d amb %d\n", who, capabilities("CapInh") != 0,
           capabilities("CapPrm") != 0, capabilities("CapEff") != 0, capabilities("CapBnd") != 0,
           capabilities("CapAmb") != 0);
}

static void own_map(void) {
    show_ids("before");
    SHOW(unshare(CLONE_NEWUSER));
    show_ids("unmapped");
    show_capabilities("new");
    show_file("/proc/self/uid_map");
    show_file("/proc/self/setgroups");
    SHOW(setuid(0));
    SHOW(setgroups_(0));
    put("/proc/self/uid_map", "0 65534 2");
    put("/proc/self/uid_map", "0 0 1");
    put("/proc/self/uid_map", "0 65534 0");
    put("/proc/self/uid_map", "0 65534");
    put("/proc/self/uid_map", "x 65534 1");
    put("/proc/self/uid_map", "0 65534 1 1");
    put("/proc/self/uid_map", "");
    put("/proc/self/uid_map", "\n0 65534 1");
    put("/proc/self/uid_map", "5 65534 1\n");
    put("/proc/self/uid_map", "5 65534 1\n");
    show_file("/proc/self/uid_map");
    put("/proc/self/gid_map", "7 65534 1\n");
    put("/proc/self/setgroups", "x");
    put("/proc/self/setgroups", "deny");
    put("/proc/self/setgroups", "allow");
    put("/proc/self/gid_map", "7 65534 1\n");
    show_file("/proc/self/setgroups");
    put("/proc/self/projid_map", "0 0 1");
    show_file("/proc/self/projid_map");
    put("/proc/self/projid_map", "1 1 1");
    show_ids("mapped");
    SHOW(setgroups_(0));
    SHOW(setuid(6));
    SHOW(setuid(5));
    SHOW(setresuid(-1, 0, -1));
    SHOW(setfsuid(6));
    SHOW(setfsuid(-1));
    show_capabilities("mapped");
    struct stat status;
    CHECK(stat("/", &status) == 0);
    printf("/ belongs to %u %u\n", status.st_uid, status.st_gid);
    int fd = open("file", O_CREAT | O_RDWR, 0600);
    CHECK(fd >= 0 && fstat(fd, &status) == 0);
    printf("file belongs to %u %u\n", status.st_uid, status.st_gid);
    SHOW(fchown(fd, 6, -1));
    SHOW(fchown(fd, 5, 7));
    SHOW(fchown(fd, -1, 8));
    SHOW(chmod("/", 0755));
    SHOW(unlink("file"));
}

static void of_child(void) {
    pid_t child = fork();
    char letter, path[64];
    if (child == 0) {
        CHECK(unshare(CLONE_NEWUSER) == 0);
        CHECK(write(ends[1], "u", 1) == 1);
        CHECK(read(back[0], &letter, 1) == 1);
        show_ids("child");
        SHOW(setgid(20));
        SHOW(setgid(10));
        SHOW(setgroups_(1));
        SHOW(setuid(1));
        show_ids("child");
        show_capabilities("after setuid");
        SHOW(setuid(0));
        show_file("/proc/self/uid_map");
        SHOW(sethostname("x", 1));
        SHOW(unshare(CLONE_NEWUTS));
        _exit(0);
    }
    CHECK(read(ends[0], &letter, 1) == 1);
    sprintf(path, "/proc/%d/uid_map", child);
    put(path, "0 0 1\n1 1 1\n1 5 1");
    put(path, "0 0 1\n5 100000 10\n20 100005 5");
    put(path, "0 4294967295 1");
    put(path, "0 4294967290 10");
    put(path, "0 100000 10\n10 200000 5\n");
    sprintf(path, "/proc/%d/gid_map", child);
    put(path, "0 300000 1\n10 400000 1\n");
    sprintf(path, "/proc/%d/setgroups", child);
    put(path, "deny");
    CHECK(write(back[1], "m", 1) == 1);
    wait_and_show("child", child);
}

static void nested(void) {
    int level = 0;
    while (unshare(CLONE_NEWUSER) == 0) {
        if (level == 0)
            put("/proc/self/setgroups", "deny");
        int uids = open("/proc/self/uid_map", O_WRONLY);
        int gids = open("/proc/self/gid_map", O_WRONLY);
        CHECK(write(uids, "0 0 1\n", 6) == 6 && write(gids, "0 0 1\n", 6) == 6);
        close(uids);
        close(gids);
        if (++level > 40)
            break;
    }
    printf("levels %d, %s\n", level, errno_name(errno));
}

/* A parent's map is what a child can refer to; the superuser of the parent rules over the child. */
static void over_child(void) {
    pid_t child = fork();
    char letter;
    if (child == 0) {
        CHECK(unshare(CLONE_NEWUSER) == 0);
        CHECK(write(ends[1], "u", 1) == 1);
        for (;;)
            pause();
    }
    CHECK(read(ends[0], &letter, 1) == 1);
    char path[64];
    sprintf(path, "/proc/%d/ns/user", child);
    int other = open(path, O_RDONLY);
    CHECK(other >= 0);
    int own = open("/proc/self/ns/user", O_RDONLY);
    SHOW(setns(own, CLONE_NEWUSER));
    SHOW(setns(other, CLONE_NEWNS));
    SHOW(setns(other, CLONE_NEWUSER));
    show_capabilities("joined");
    SHOW(setns(own, CLONE_NEWUSER));
    SHOW(setns(other, CLONE_NEWUSER));
    show_ids("joined");
    SHOW(kill(child, SIGKILL));
    wait_and_show("child", child);
}

static void run(const char *what, void (*part)(void), bool nobody) {
    printf("-- %s\n", what);
    pid_t child = fork();
    if (child == 0) {
        if (nobody) {
            become_nobody();
            CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
        }
        part();
        _exit(0);
    }
    wait_and_show(what, child);
}

int main(void) {
    CHECK(pipe(ends) == 0 && pipe(back) == 0);
    CHECK(chmod(".", 0777) == 0);
    run("own map", own_map, true);
    run("of child", of_child, false);
    run("nested", nested, false);
    run("over child", over_child, false);
    return 0;
}
