/* inotify(7): which events come, in which order, for a directory and for a file itself. */
#include "guest.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static int instance;

static void events(const char *title) {
    char buffer[4096] __attribute__((aligned(8)));
    printf("-- %s\n", title);
    ssize_t size = read(instance, buffer, sizeof buffer);
    if (size < 0) {
        printf("%s\n", errno_name(errno));
        return;
    }
    unsigned first_cookie = 0;
    for (char *at = buffer; at < buffer + size;) {
        struct inotify_event *event = (struct inotify_event *)at;
        if (event->cookie && !first_cookie)
            first_cookie = event->cookie;
        printf("wd %d mask %x name %s (%u) cookie %d\n", event->wd, event->mask,
               event->len ? event->name : "-", event->len,
               event->cookie ? 1 + (int)(event->cookie - first_cookie) : 0);
        at += sizeof *event + event->len;
    }
}

int main(void) {
    char buffer[16];
    CHECK(mkdir("d", 0755) == 0 && mkdir("e", 0755) == 0);
    put_file("d/file", "text");
    instance = SHOW(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    int directory = SHOW(inotify_add_watch(instance, "d", IN_ALL_EVENTS));
    events("nothing");
    int fd = open("d/file", O_RDWR);
    SHOW(read(fd, buffer, 2));
    SHOW(write(fd, "xy", 2));
    SHOW(ftruncate(fd, 1));
    SHOW(fchmod(fd, 0600));
    SHOW(close(fd));
    struct pollfd ready = {instance, POLLIN, 0};
    SHOW(poll(&ready, 1, 0));
    int pending;
    SHOW(ioctl(instance, FIONREAD, &pending));
    SHOW(pending);
    events("file in the directory");
    int file = SHOW(inotify_add_watch(instance, "d/file", IN_ALL_EVENTS));
    fd = open("d/file", O_RDONLY);
    SHOW(close(fd));
    events("watched twice");
    put_file("d/new", "x");
    SHOW(mkdir("d/sub", 0755));
    SHOW(symlink("x", "d/link"));
    SHOW(mkfifo("d/fifo", 0600));
    SHOW(link("d/file", "d/second"));
    events("created");
    SHOW(rename("d/new", "d/renamed"));
    SHOW(rename("d/file", "e/moved"));
    SHOW(rename("e/moved", "d/file"));
    events("renamed");
    SHOW(unlink("d/renamed"));
    SHOW(rmdir("d/sub"));
    SHOW(unlink("d/file"));
    events("removed, one name left");
    SHOW(unlink("d/second"));
    events("removed");
    SHOW(inotify_rm_watch(instance, file));
    {
        int list = open("d", O_RDONLY | O_DIRECTORY);
        char entries[1024];
        SHOW(syscall(SYS_getdents64, list, entries, sizeof entries) > 0);
        SHOW(close(list));
    }
    events("listed");
    SHOW(chmod("d", 0700));
    SHOW(rename("d", "dd"));
    events("itself");
    SHOW(inotify_add_watch(instance, "dd", IN_CREATE | IN_ONESHOT) == directory);
    put_file("dd/one", "");
    put_file("dd/two", "");
    events("once");
    directory = SHOW(inotify_add_watch(instance, "dd", IN_CREATE));
    SHOW(inotify_add_watch(instance, "dd", IN_DELETE | IN_MASK_ADD));
    SHOW(inotify_add_watch(instance, "dd", IN_DELETE | IN_MASK_CREATE));
    put_file("dd/three", "");
    SHOW(unlink("dd/three"));
    SHOW(read(instance, buffer, 4));
    events("added");
    SHOW(inotify_rm_watch(instance, directory));
    SHOW(inotify_rm_watch(instance, directory));
    events("ended");
    SHOW(inotify_add_watch(instance, "dd/one", IN_ONLYDIR | IN_CREATE));
    SHOW(inotify_add_watch(instance, "missing", IN_CREATE));
    SHOW(inotify_add_watch(instance, "dd", 0));
    SHOW(inotify_add_watch(fd, "dd", IN_CREATE));
    SHOW(inotify_add_watch(0, "dd", IN_CREATE));
    SHOW(inotify_init1(1));
    SHOW(write(instance, "x", 1));
    SHOW(inotify_add_watch(instance, "dd/one", IN_DELETE_SELF));
    fd = open("dd/one", O_RDONLY);
    SHOW(close(fd));
    SHOW(unlink("dd/one"));
    events("deleted");
    return 0;
}
