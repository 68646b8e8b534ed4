/* What root does with ids and capabilities; run natively by root, and inside. */
#include "guest.h"
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Those that root has in every container: the others may be missing natively. */
#define USUAL 0xa80425fb

static void show(const char *when) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    uid_t real, effective, saved;
    CHECK(syscall(SYS_capget, &header, data) == 0);
    CHECK(getresuid(&real, &effective, &saved) == 0);
    printf("%s: uid %u %u %u permitted %x effective %x inheritable %x ambient %d %d keep %d\n", when,
           real, effective, saved, data[0].permitted & USUAL, data[0].effective & USUAL,
           data[0].inheritable & USUAL,
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0),
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), prctl(PR_GET_KEEPCAPS));
}

static int set_capabilities(unsigned permitted, unsigned effective, unsigned inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{effective, permitted, inheritable}, {0, 0, 0}};
    return syscall(SYS_capset, &header, data);
}

static void in_child(const char *name, void (*function)(const char *)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        printf("-- %s\n", name);
        function(name);
        exit(0);
    }
    wait_and_show(name, child);
}

static void leave_root(const char *name) {
    SHOW(setgroups(3, (gid_t[]){30, 10, 20}));
    gid_t groups[3];
    SHOW(getgroups(3, groups));
    printf("%u %u %u\n", groups[0], groups[1], groups[2]);
    SHOW(setresgid(5, 6, 7));
    SHOW(setresuid(-1, 1000, -1));
    show(name);
    SHOW(seteuid(0));
    show("root again");
    SHOW(setfsuid(1000));
    show("other files");
    SHOW(setfsuid(0));
    SHOW(setuid(1000));
    show("for good");
    SHOW(setuid(0));
    SHOW(prctl(PR_GET_DUMPABLE));
}

static void keep_capabilities(const char *name) {
    SHOW(prctl(PR_SET_KEEPCAPS, 1));
    SHOW(setuid(1000));
    show(name);
    SHOW(set_capabilities(1 << CAP_NET_RAW, 1 << CAP_NET_RAW, 1 << CAP_NET_RAW));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
    show("ambient");
    SHOW(set_capabilities(0xffffffff, 0, 0));
    fflush(stdout);
    char *arguments[] = {"program", "show", NULL};
    execv("/proc/self/exe", arguments);
}

static void secure_bits(const char *name) {
    SHOW(prctl(PR_GET_SECUREBITS));
    SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED));
    SHOW(prctl(PR_SET_SECUREBITS, 0));
    SHOW(prctl(PR_SET_SECUREBITS, 1 << 20));
    SHOW(setuid(1000));
    show(name);
    SHOW(prctl(PR_CAPBSET_DROP, CAP_NET_RAW));
    SHOW(prctl(PR_CAPBSET_READ, CAP_NET_RAW));
    SHOW(prctl(PR_CAPBSET_READ, 63));
}

static void no_root(const char *name) {
    (void)name;
    SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
    fflush(stdout);
    char *arguments[] = {"program", "show", NULL};
    execv("/proc/self/exe", arguments);
}

static void limits(const char *name) {
    (void)name;
    struct rlimit limit = {10, 20};
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_max = 1UL << 40;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    SHOW(setuid(1000));
    limit.rlim_max = 31;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    SHOW(setpriority(PRIO_PROCESS, 0, -5));
    SHOW(prlimit(getppid(), RLIMIT_CORE, NULL, &limit));
}

static void versions(const char *name) {
    (void)name;
    struct __user_cap_header_struct header = {0, 0};
    struct __user_cap_data_struct data[2];
    SHOW(syscall(SYS_capget, &header, NULL));
    SHOW(header.version == _LINUX_CAPABILITY_VERSION_3);
    header.version = 1;
    SHOW(syscall(SYS_capget, &header, data));
    header.pid = -1;
    SHOW(syscall(SYS_capget, &header, data));
    header.pid = 1 << 22;
    SHOW(syscall(SYS_capget, &header, data));
    header.pid = getppid();
    SHOW(syscall(SYS_capset, &header, data));
    header.version = _LINUX_CAPABILITY_VERSION_1;
    header.pid = 0;
    SHOW(syscall(SYS_capget, &header, data));
}

int main(int count, char **arguments) {
    (void)arguments;
    if (count > 1) {
        show("after exec");
        return 0;
    }
    show("root");
    in_child("leave root", leave_root);
    in_child("keep capabilities", keep_capabilities);
    in_child("secure bits", secure_bits);
    in_child("no root", no_root);
    in_child("limits", limits);
    in_child("versions", versions);
    return 0;
}
