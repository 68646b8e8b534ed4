/* inotify(7): its limits, the flags of watches, coalescing, unmounting, and what fdinfo shows. */
// guest: user = root
#include "guest.h"
#include <sched.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

static int instance;

static void events(const char *title) {
    char buffer[65536] __attribute__((aligned(8)));
    printf("-- %s\n", title);
    for (;;) {
        ssize_t size = read(instance, buffer, sizeof buffer);
        if (size < 0) {
            printf("%s\n", errno_name(errno));
            return;
        }
        for (char *at = buffer; at < buffer + size;) {
            struct inotify_event *event = (struct inotify_event *)at;
            printf("wd %d mask %x name %s (%u)\n", event->wd, event->mask,
                   event->len ? event->name : "-", event->len);
            at += sizeof *event + event->len;
        }
    }
}

static void arguments(void) {
    SHOW(inotify_init1(0x80));
    SHOW(inotify_add_watch(instance, "d", 0));
    SHOW(inotify_add_watch(instance, "d", 0x80000));
    SHOW(inotify_add_watch(instance, "d", IN_MASK_ADD | IN_MASK_CREATE | IN_OPEN));
    SHOW(inotify_add_watch(instance, "d", IN_ONESHOT));
    SHOW(inotify_add_watch(instance, "d", IN_IGNORED | IN_UNMOUNT));
    SHOW(inotify_add_watch(instance, "none", IN_OPEN));
    SHOW(inotify_add_watch(instance, "", IN_OPEN));
    SHOW(inotify_add_watch(instance, "d/f", IN_OPEN | IN_ONLYDIR));
    SHOW(inotify_add_watch(0, "d", IN_OPEN));
    SHOW(inotify_add_watch(99, "d", IN_OPEN));
    SHOW(inotify_add_watch(instance, (char *)8, IN_OPEN));
    SHOW(inotify_rm_watch(instance, 77));
    SHOW(inotify_rm_watch(instance, -1));
    SHOW(inotify_rm_watch(0, 1));
    SHOW(inotify_rm_watch(99, 1));
    SHOW(write(instance, "x", 1));
    SHOW(lseek(instance, 0, SEEK_SET));
    events("arguments");
}

static void flags(void) {
    int watch = inotify_add_watch(instance, "d", IN_CREATE);
    SHOW(inotify_add_watch(instance, "d", IN_CREATE | IN_MASK_CREATE));
    SHOW(inotify_add_watch(instance, "d/.", IN_DELETE | IN_MASK_ADD) == watch);
    put_file("d/new", "");
    SHOW(unlink("d/new"));
    events("create and delete");
    SHOW(inotify_add_watch(instance, "d", IN_DELETE) == watch);
    put_file("d/new", "");
    SHOW(unlink("d/new"));
    events("delete alone");
    SHOW(inotify_rm_watch(instance, watch));
    events("removed");
    watch = inotify_add_watch(instance, "d", IN_OPEN | IN_ONESHOT);
    CHECK(close(open("d/f", O_RDONLY)) == 0);
    CHECK(close(open("d/f", O_RDONLY)) == 0);
    events("once");
    SHOW(inotify_rm_watch(instance, watch));
    CHECK(symlink("d", "link") == 0);
    watch = inotify_add_watch(instance, "link", IN_ALL_EVENTS | IN_DONT_FOLLOW);
    CHECK(watch >= 0);
    CHECK(close(open("d/f", O_RDONLY)) == 0);
    char target[8];
    CHECK(readlink("link", target, sizeof target) == 1);
    CHECK(unlink("link") == 0);
    events("the link itself");
}

static void after_unlink(int kind, const char *title) {
    put_file("d/gone", "text");
    int watch = inotify_add_watch(instance, "d", IN_ALL_EVENTS | kind);
    int fd = open("d/gone", O_RDWR);
    CHECK(unlink("d/gone") == 0);
    CHECK(write(fd, "more", 4) == 4);
    CHECK(close(fd) == 0);
    CHECK(inotify_rm_watch(instance, watch) == 0);
    events(title);
}

static void coalescing(void) {
    int watch = inotify_add_watch(instance, "d", IN_MODIFY | IN_ACCESS);
    int fd = open("d/f", O_RDWR), pending;
    char byte;
    for (int i = 0; i < 5; i++)
        CHECK(write(fd, "x", 1) == 1);
    SHOW(ioctl(instance, FIONREAD, &pending));
    SHOW(pending);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(read(fd, &byte, 1) == 1 && write(fd, "x", 1) == 1);
    SHOW(ioctl(instance, FIONREAD, &pending));
    SHOW(pending);
    char small[16];
    SHOW(read(instance, small, 15));
    SHOW(read(instance, small, 16));
    char fits[32];
    SHOW(read(instance, fits, 32));
    SHOW(read(instance, fits, 32));
    events("alternating");
    CHECK(close(fd) == 0 && inotify_rm_watch(instance, watch) == 0);
    events("the end");
}

static void set_limit(const char *name, int value) {
    char path[64];
    snprintf(path, sizeof path, "/proc/sys/user/max_inotify_%s", name);
    FILE *file = fopen(path, "w");
    CHECK(file);
    fprintf(file, "%d", value);
    CHECK(fclose(file) == 0);
}

static int limit(const char *name) {
    char path[64];
    int value;
    snprintf(path, sizeof path, "/proc/sys/fs/inotify/%s", name);
    FILE *file = fopen(path, "r");
    CHECK(file && fscanf(file, "%d", &value) == 1);
    fclose(file);
    return value;
}

/* Those of a user namespace, so that none of the machine's is touched. */
static void limits(void) {
    printf("limits are there: %d %d %d\n", limit("max_user_instances") > 0,
           limit("max_user_watches") > 0, limit("max_queued_events") > 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(unshare(CLONE_NEWUSER) == 0);
        int map = open("/proc/self/uid_map", O_WRONLY);
        CHECK(write(map, "0 0 1", 5) == 5 && close(map) == 0);
        set_limit("instances", 3);
        set_limit("watches", 2);
        int first = inotify_init1(IN_NONBLOCK);
        CHECK(first >= 0 && inotify_init1(0) >= 0);
        SHOW_OK(inotify_init1(0));
        SHOW_OK(inotify_init1(0));
        SHOW_OK(inotify_add_watch(first, "d", IN_OPEN));
        SHOW_OK(inotify_add_watch(first, "d/f", IN_OPEN));
        SHOW_OK(inotify_add_watch(first, "e", IN_OPEN));
        SHOW_OK(inotify_add_watch(first, "d", IN_CLOSE));
        SHOW(inotify_rm_watch(first, 1));
        SHOW_OK(inotify_add_watch(first, "e", IN_OPEN));
        fflush(stdout);
        _exit(0);
    }
    wait_and_show("limits", child);
}

static void overflow(void) {
    int size = limit("max_queued_events"), watch = inotify_add_watch(instance, "d", IN_OPEN);
    int other = inotify_add_watch(instance, "e", IN_OPEN);
    char buffer[32 * 1024] __attribute__((aligned(8)));
    for (int i = 0; i <= size / 2; i++)
        CHECK(close(open("d", O_RDONLY)) == 0 && close(open("e", O_RDONLY)) == 0);
    int count = 0, last_watch = 0;
    unsigned last_mask = 0;
    ssize_t got;
    while ((got = read(instance, buffer, sizeof buffer)) > 0)
        for (char *at = buffer; at < buffer + got; at += sizeof(struct inotify_event)) {
            struct inotify_event *event = (struct inotify_event *)at;
            CHECK(event->len == 0);
            count++;
            last_mask = event->mask;
            last_watch = event->wd;
        }
    printf("events beyond the limit: %d, last mask %x wd %d\n", count - size, last_mask, last_watch);
    CHECK(inotify_rm_watch(instance, watch) == 0 && inotify_rm_watch(instance, other) == 0);
    events("after the overflow");
}

static void unmounting(void) {
    if (unshare(CLONE_NEWNS) < 0) {
        printf("no mount namespace: %s\n", errno_name(errno));
        return;
    }
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdir("m", 0755) == 0 && mount("m", "m", "tmpfs", 0, NULL) == 0);
    put_file("m/f", "text");
    CHECK(inotify_add_watch(instance, "m", IN_ALL_EVENTS) > 0);
    CHECK(inotify_add_watch(instance, "m/f", IN_OPEN) > 0);
    CHECK(mkdir("b", 0755) == 0 && mount("m", "b", NULL, MS_BIND, NULL) == 0);
    SHOW(umount("b"));
    events("another mount shows it still");
    SHOW(umount("m"));
    events("unmounted");
}

static void information(void) {
    char path[64], line[256];
    struct stat status;
    int watch = inotify_add_watch(instance, "d/f", IN_OPEN | IN_CLOSE_WRITE);
    CHECK(stat("d/f", &status) == 0);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", instance);
    FILE *file = fopen(path, "r");
    CHECK(file);
    while (fgets(line, sizeof line, file)) {
        unsigned wd, device, mask, ignored;
        unsigned long inode;
        if (sscanf(line, "inotify wd:%x ino:%lx sdev:%x mask:%x ignored_mask:%x", &wd, &inode,
                   &device, &mask, &ignored) == 5)
            printf("watch %d, inode %d, device %d, mask %x, ignored %x\n", (int)wd == watch,
                   inode == status.st_ino,
                   device == (unsigned)(major(status.st_dev) << 20 | minor(status.st_dev)), mask,
                   ignored);
    }
    fclose(file);
    CHECK(inotify_rm_watch(instance, watch) == 0);
    events("information");
}

int main(void) {
    setbuf(stdout, NULL);
    CHECK(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
    put_file("d/f", "text");
    instance = inotify_init1(IN_NONBLOCK);
    arguments();
    flags();
    after_unlink(0, "events of what was removed");
    after_unlink(IN_EXCL_UNLINK, "without them");
    coalescing();
    limits();
    overflow();
    information();
    unmounting();
}
