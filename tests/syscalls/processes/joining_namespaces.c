/* unshare(2), setns(2) with files and pidfds, ioctl_ns(2): every kind of namespace. */
// guest: user = root
#include "guest.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/utsname.h>

#include <linux/nsfs.h>

static const struct {
    const char *name;
    int flag;
} kinds[] = {{"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC},   {"mnt", CLONE_NEWNS},
             {"net", CLONE_NEWNET},       {"pid", CLONE_NEWPID},   {"time", 0x80},
             {"user", CLONE_NEWUSER},     {"uts", CLONE_NEWUTS}};
#define KINDS (sizeof kinds / sizeof *kinds)

static int open_of(pid_t pid, const char *name) {
    char path[64];
    sprintf(path, "/proc/%d/ns/%s", pid, name);
    return open(path, O_RDONLY);
}

static bool same(int one, int other) {
    struct stat first, second;
    CHECK(fstat(one, &first) == 0 && fstat(other, &second) == 0);
    return first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

static int ends[2];

/* A child that lives in new namespaces until it is killed. */
static pid_t start(int flags) {
    pid_t child = fork();
    if (child == 0) {
        CHECK(unshare(flags) == 0);
        if (flags & CLONE_NEWUTS)
            CHECK(sethostname("inner", 5) == 0);
        CHECK(write(ends[1], "r", 1) == 1);
        for (;;)
            pause();
    }
    char letter;
    CHECK(read(ends[0], &letter, 1) == 1);
    return child;
}

static void one_by_one(void) {
    int flags = 0;
    for (unsigned number = 0; number < KINDS; number++)
        if (kinds[number].flag != CLONE_NEWUSER)
            flags |= kinds[number].flag;
    pid_t child = start(flags);
    for (unsigned number = 0; number < KINDS; number++) {
        int own = open_of(getpid(), kinds[number].name), other = open_of(child, kinds[number].name);
        CHECK(own >= 0 && other >= 0);
        printf("%s: same %d\n", kinds[number].name, same(own, other));
        SHOW(ioctl(other, NS_GET_NSTYPE) == kinds[number].flag);
        int owner = ioctl(other, NS_GET_USERNS);
        printf("owner %s\n", owner < 0 ? errno_name(errno) : "there");
        int parent = ioctl(other, NS_GET_PARENT);
        printf("parent %s\n", parent < 0 ? errno_name(errno) : "there");
        uid_t uid = 77;
        SHOW(ioctl(other, NS_GET_OWNER_UID, &uid));
        SHOW(setns(other, kinds[number].flag == CLONE_NEWUTS ? CLONE_NEWIPC : CLONE_NEWUTS));
        pid_t joiner = fork();
        if (joiner == 0) {
            SHOW(setns(other, kinds[number].flag));
            int now = open_of(getpid(), kinds[number].name);
            printf("joined %d\n", now >= 0 && same(now, other));
            _exit(0);
        }
        CHECK(waitpid(joiner, NULL, 0) == joiner);
        close(own);
        close(other);
    }
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    SHOW(setns(pidfd, 0));
    SHOW(setns(pidfd, 1));
    SHOW(setns(pidfd, CLONE_NEWUTS | CLONE_FS));
    pid_t joiner = fork();
    if (joiner == 0) {
        struct utsname name;
        SHOW(setns(pidfd, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS));
        CHECK(uname(&name) == 0);
        printf("host %s\n", name.nodename);
        int own = open_of(getpid(), "net"), other = open_of(child, "net");
        printf("same %d\n", same(own, other));
        _exit(0);
    }
    CHECK(waitpid(joiner, NULL, 0) == joiner);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    SHOW(setns(pidfd, CLONE_NEWUTS));
    SHOW(setns(0, CLONE_NEWUTS));
    SHOW(setns(-1, CLONE_NEWUTS));
}

/* An ordinary user gets into the namespaces of a user namespace that he owns. */
static void of_ordinary_user(void) {
    become_nobody();
    SHOW(unshare(CLONE_NEWUTS));
    SHOW(unshare(CLONE_NEWNS));
    pid_t child = start(CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWIPC);
    int user = open_of(child, "user"), uts = open_of(child, "uts");
    printf("opened %d %d\n", user >= 0, uts >= 0);
    int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    SHOW(setns(pidfd, CLONE_NEWUTS));
    SHOW(setns(pidfd, CLONE_NEWUTS | CLONE_NEWUSER));
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

/* Objects of an IPC namespace end with it; the working directory is in the copied mounts. */
static void contents(void) {
    int queue = msgget(4444, IPC_CREAT | 0600);
    CHECK(queue >= 0);
    SHOW(unshare(CLONE_NEWIPC));
    SHOW(msgget(4444, 0));
    SHOW(unshare(CLONE_NEWNS | CLONE_FS));
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdir("inner", 0700) == 0 && mount("t", "inner", "tmpfs", 0, NULL) == 0);
    int file = open("inner/file", O_CREAT | O_RDWR, 0600);
    SHOW(file >= 0 ? 0 : -1);
    SHOW(unshare(0));
    SHOW(unshare(CLONE_VFORK));
    SHOW(unshare(CLONE_FILES));
    SHOW(unshare(CLONE_THREAD));
    SHOW(unshare(CLONE_SIGHAND));
    SHOW(unshare(CLONE_VM));
    SHOW(umount2("inner", MNT_DETACH));
    SHOW(rmdir("inner"));
    SHOW(msgctl(queue, IPC_RMID, NULL));
}

static void *thread(void *argument) {
    SHOW(unshare(CLONE_NEWUSER));
    SHOW(unshare(CLONE_NEWPID));
    SHOW(unshare(CLONE_THREAD));
    SHOW(unshare(CLONE_NEWUTS));
    int user = open("/proc/self/ns/user", O_RDONLY), mounts = open("/proc/self/ns/mnt", O_RDONLY);
    SHOW(setns(user, 0));
    SHOW(setns(mounts, 0));
    return argument;
}

static void of_threads(void) {
    pthread_t id;
    CHECK(pthread_create(&id, NULL, thread, NULL) == 0);
    pthread_join(id, NULL);
}

static void run(void (*part)(void)) {
    pid_t child = fork();
    if (child == 0) {
        part();
        _exit(0);
    }
    wait_and_show("part", child);
}

int main(void) {
    CHECK(pipe(ends) == 0);
    CHECK(unshare(CLONE_NEWNS | CLONE_NEWIPC) == 0);
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    run(one_by_one);
    run(of_ordinary_user);
    run(contents);
    run(of_threads);
    return 0;
}
