/* devpts: each mount has terminals of its own; who owns them, their mode, how many there may be. */
#include "contexts.h"
#include <sys/ioctl.h>

static const char *const OPTIONS[] = {
    "",      "newinstance", "mode=620",   "mode=8",   "mode=01777", "ptmxmode=666", "uid=6,gid=5",
    "uid=x", "max=3",       "max=x",      "max=-1",   "max=1048576", "max=1048577",
    "what",  "newinstance=1", "gid=5,mode=620,ptmxmode=666,max=9",
};

static void at_mount(void) {
    make_directories("p d d/pts");
    for (unsigned i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        printf("\"%s\": ", OPTIONS[i]);
        if (SHOW(mount("devpts", "p", "devpts", 0, OPTIONS[i])) == 0) {
            struct stat status;
            show_options("p");
            CHECK(stat("p/ptmx", &status) == 0);
            printf("  %o %d %d\n", status.st_mode, status.st_uid, status.st_gid);
            CHECK(umount("p") == 0);
        }
        int fd;
        FSOPEN("devpts");
        char copy[64], *value;
        snprintf(copy, sizeof copy, "%s", OPTIONS[i]);
        for (char *key = strtok(copy, ","); key; key = strtok(NULL, ",")) {
            if ((value = strchr(key, '=')))
                *value++ = 0;
            SHOW(value ? set_string(fd, key, value) : set_flag(fd, key));
            show_log(fd);
        }
        CHECK(close(fd) == 0);
    }
    CHECK(mount("x", "p", "devpts", 0, "gid=5,uid=7,mode=620,ptmxmode=666,max=5") == 0);
    SHOW(mount(NULL, "p", NULL, MS_REMOUNT, "mode=640"));
    show_options("p");
    SHOW(mount(NULL, "p", NULL, MS_REMOUNT, "max=1,ptmxmode=644,what"));
    show_options("p");
    SHOW(mount(NULL, "p", NULL, MS_REMOUNT, "max=1,ptmxmode=644"));
    show_options("p");
}

static int number_of(int master) {
    int number = -1;
    CHECK(ioctl(master, TIOCGPTN, &number) == 0);
    return number;
}

static void show_node(const char *path) {
    struct stat status;
    if (SHOW(stat(path, &status)) == 0)
        printf("%s: %o %d %d %x\n", path, status.st_mode, status.st_uid, status.st_gid,
               (unsigned)status.st_rdev);
}

static void terminals(void) {
    int master = open("p/ptmx", O_RDWR | O_NOCTTY);
    CHECK(master >= 0);
    printf("terminal %d\n", number_of(master));
    show_node("p/ptmx");
    show_node("p/0");
    show_node("p/1");
    SHOW_OK(open("p/ptmx", O_RDWR | O_NOCTTY));
    SHOW(mount(NULL, "p", NULL, MS_REMOUNT, "max=2,uid=7,gid=5,mode=620"));
    int second = open("p/ptmx", O_RDWR | O_NOCTTY);
    CHECK(second >= 0);
    show_node("p/0");
    show_node("p/1");
    CHECK(close(second) == 0);
    show_node("p/1");
    CHECK(mknod("d/ptmx", S_IFCHR | 0666, 0x502) == 0);
    CHECK(mknod("slave", S_IFCHR | 0666, 0x8800) == 0);
    SHOW_OK(open("d/ptmx", O_RDWR | O_NOCTTY));
    CHECK(mount("x", "d/pts", "devpts", 0, NULL) == 0);
    second = open("d/ptmx", O_RDWR | O_NOCTTY);
    CHECK(second >= 0);
    printf("another terminal %d\n", number_of(second));
    int unlocked = 0;
    SHOW_OK(open("d/pts/0", O_RDWR | O_NOCTTY));
    CHECK(ioctl(second, TIOCSPTLCK, &unlocked) == 0);
    int slave = open("d/pts/0", O_RDWR | O_NOCTTY);
    CHECK(slave >= 0);
    char text[8] = "";
    CHECK(write(slave, "word\n", 5) == 5);
    SHOW(read(second, text, sizeof text));
    printf("%.4s\n", text);
    SHOW_OK(open("p/0", O_RDWR | O_NOCTTY));
    int peer = ioctl(second, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    char path[64], name[300];
    snprintf(path, sizeof path, "/proc/self/fd/%d", peer);
    ssize_t length = readlink(path, name, sizeof name);
    CHECK(length > 0);
    printf("peer is %.*s\n", (int)(length - (ssize_t)strlen(work_directory)),
           name + strlen(work_directory));
    SHOW(unlink("p/0"));
    SHOW(mkdir("p/x", 0755));
    SHOW(chmod("p/0", 0600));
    SHOW(chown("p/0", 3, 4));
    show_node("p/0");
    CHECK(close(master) == 0 && close(second) == 0 && close(slave) == 0 && close(peer) == 0);
    show_node("d/pts/0");
    SHOW(umount("d/pts"));
    SHOW(umount("p"));
}

int main(void) {
    work_in_own_tmpfs();
    at_mount();
    terminals();
}
