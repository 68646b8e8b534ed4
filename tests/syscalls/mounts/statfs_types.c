/* statfs(2) of each type of file system, and fstatfs(2) of what has no name. */
#include "mounts.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/statfs.h>

static void show(const char *what, const struct statfs *shown) {
    printf("%s: type %lx, block size %ld, fragments %ld, names %ld, flags %lx, "
           "blocks %d %d %d, files %d %d, an id %d\n",
           what, shown->f_type, shown->f_bsize, shown->f_frsize, shown->f_namelen, shown->f_flags,
           shown->f_blocks > 0, shown->f_bfree > 0, shown->f_bavail == shown->f_bfree,
           shown->f_files > 0, shown->f_ffree > 0,
           shown->f_fsid.__val[0] != 0 || shown->f_fsid.__val[1] != 0);
}

static const char *const MOUNTED[][2] = {
    {"tmpfs", NULL},  {"tmpfs", "size=0,nr_inodes=0"},
    {"ramfs", NULL},  {"proc", NULL},
    {"sysfs", NULL},  {"devpts", NULL},
    {"mqueue", NULL}, {"cgroup2", NULL},
    {"overlay", "lowerdir=l,upperdir=u,workdir=w"},
};

int main(void) {
    struct statfs shown;
    work_in_own_tmpfs();
    make_directories("m l u w");
    for (unsigned i = 0; i < sizeof MOUNTED / sizeof *MOUNTED; i++) {
        if (SHOW(mount("x", "m", MOUNTED[i][0], MS_NOSUID | MS_NODIRATIME, MOUNTED[i][1])))
            continue;
        CHECK(statfs("m", &shown) == 0);
        show(MOUNTED[i][0], &shown);
        CHECK(umount("m") == 0);
    }
    int fds[2];
    struct {
        const char *name;
        int fd;
    } unnamed[] = {
        {"pipe", pipe(fds) ? -1 : fds[0]},
        {"socket", socket(AF_UNIX, SOCK_STREAM, 0)},
        {"memfd", memfd_create("x", 0)},
        {"eventfd", eventfd(0, 0)},
        {"epoll", epoll_create1(0)},
        {"inotify", inotify_init1(0)},
        {"namespace", open("/proc/self/ns/mnt", O_RDONLY)},
        {"O_PATH", open("l", O_PATH)},
        {"tree", (int)syscall(SYS_open_tree, AT_FDCWD, "l", 0)},
    };
    for (unsigned i = 0; i < sizeof unnamed / sizeof *unnamed; i++) {
        CHECK(unnamed[i].fd >= 0);
        CHECK(fstatfs(unnamed[i].fd, &shown) == 0);
        show(unnamed[i].name, &shown);
    }
    SHOW(statfs("none", &shown));
    SHOW(statfs("", &shown));
    SHOW(fstatfs(99, &shown));
    SHOW(statfs("l", (void *)8));
}
