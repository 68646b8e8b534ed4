/* xattr(7): name spaces, sizes, flags, what whoever may see, on every type of file; also by
 * descriptor.  On a tmpfs, whose limits are not those of a disk's blocks. */
// guest: user = root
// guest: kernel = 6.13
#include "guest.h"
#include <grp.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

static char big[70000], value[70000];

static void list(const char *path) {
    char names[4096];
    ssize_t size = llistxattr(path, names, sizeof names);
    printf("%s:", path);
    for (char *name = names; name < names + size; name += strlen(name) + 1)
        printf(" %s", name);
    printf(size < 0 ? " %s\n" : "\n", errno_name(errno));
}

static void on_every_name_space(const char *path) {
    static const char *names[] = {"user.a",     "trusted.a", "security.a", "system.a",
                                  "nonsense.a", "user.",     "user",       "trusted."};
    printf("-- %s\n", path);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        printf("%s\n", names[i]);
        SHOW(lsetxattr(path, names[i], "value", 5, 0));
        SHOW(lgetxattr(path, names[i], value, sizeof value));
        SHOW(lsetxattr(path, names[i], "", 0, XATTR_REPLACE));
        SHOW(lgetxattr(path, names[i], value, 0));
        list(path);
        SHOW(lremovexattr(path, names[i]));
        SHOW(lremovexattr(path, names[i]));
    }
}

static void sizes(void) {
    char name[300] = "user.";
    memset(name + 5, 'n', 250);
    SHOW(setxattr("file", name, "v", 1, 0));
    strcat(name, "n");
    SHOW(setxattr("file", name, "v", 1, 0));
    SHOW(getxattr("file", name, value, 1));
    SHOW(setxattr("file", "", "v", 1, 0));
    SHOW(setxattr("file", "user.big", big, 65536, 0));
    SHOW(setxattr("file", "user.big", big, 65537, 0));
    SHOW(getxattr("file", "user.big", value, 65536));
    SHOW(getxattr("file", "user.big", value, 65535));
    SHOW(getxattr("file", "user.big", value, 70000));
    SHOW(getxattr("file", "user.big", NULL, 0));
    SHOW(getxattr("file", "user.big", (void *)8, 65536));
    SHOW(setxattr("file", "user.a", (void *)8, 1, 0));
    SHOW(setxattr("file", (void *)8, "v", 1, 0));
    SHOW(setxattr("missing", "", "v", 1, 0));
    SHOW(setxattr("missing", "user.a", (void *)8, 1, 0));
    SHOW(setxattr("missing", "user.a", "v", 65537, 0));
    SHOW(getxattr("missing", "", value, 1));
    SHOW(removexattr("missing", ""));
    SHOW(listxattr("file", value, 3));
    SHOW(listxattr("file", (void *)8, sizeof value) == -1);
    SHOW(removexattr("file", "user.big"));
    for (int i = 0; i < 300; i++) {
        memset(name + 5, 'a' + i % 26, 250);
        sprintf(name + 250, "%05d", i);
        CHECK(setxattr("file", name, "", 0, 0) == 0);
    }
    SHOW(listxattr("file", NULL, 0));
    SHOW(listxattr("file", value, 65536));
    SHOW(listxattr("file", value, 70000));
    SHOW(listxattr("file", value, 60000));
}

static void flags(void) {
    SHOW(setxattr("other", "user.f", "v", 1, XATTR_REPLACE));
    SHOW(setxattr("other", "user.f", "v", 1, XATTR_CREATE));
    SHOW(setxattr("other", "user.f", "v", 1, XATTR_CREATE));
    SHOW(setxattr("other", "user.f", "v", 1, XATTR_CREATE | XATTR_REPLACE));
    SHOW(setxattr("other", "user.g", "v", 1, XATTR_CREATE | XATTR_REPLACE));
    SHOW(setxattr("other", "user.f", "v", 1, 4));
    SHOW(setxattr("missing", "", "v", 1, 4));
}

static void by_descriptor(void) {
    int file = open("other", O_RDONLY), place = open("other", O_PATH), pipes[2];
    CHECK(pipe(pipes) == 0);
    SHOW(fsetxattr(file, "user.d", "v", 1, 0));
    SHOW(fgetxattr(file, "user.d", value, 10));
    SHOW(flistxattr(place, value, 100));
    SHOW(fsetxattr(place, "user.d", "v", 1, 0));
    SHOW(fremovexattr(place, "user.d"));
    SHOW(fsetxattr(-1, "user.d", "v", 1, 0));
    SHOW(fsetxattr(AT_FDCWD, "user.d", "v", 1, 0));
    SHOW(getxattr(".", "user.d", value, 10));
    SHOW(fremovexattr(AT_FDCWD, "user.d"));
    SHOW(fsetxattr(pipes[0], "user.d", "v", 1, 0));
    SHOW(fgetxattr(pipes[0], "user.d", value, 10));
    SHOW(fgetxattr(pipes[0], "trusted.d", value, 10));
    SHOW(fsetxattr(pipes[0], "trusted.d", "v", 1, 0));
    SHOW(flistxattr(pipes[0], value, 10));
    SHOW(getxattr("/proc/self/status", "user.d", value, 10));
    SHOW(setxattr("/proc/self/status", "trusted.d", "v", 1, 0));
    SHOW(listxattr("/proc/self/status", value, 10));
}

static void as_another_user(void) {
    CHECK(setxattr("other", "trusted.t", "v", 1, 0) == 0);
    CHECK(setxattr("other", "security.s", "v", 1, 0) == 0);
    CHECK(mkdir("sticky", 01777) == 0 && chmod("sticky", 01777) == 0);
    CHECK(chmod("file", 0644) == 0 && chmod("other", 0666) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(setgroups(0, NULL) == 0 && setgid(1234) == 0 && setuid(1234) == 0);
        SHOW(setxattr("file", "user.u", "v", 1, 0));
        SHOW(setxattr("other", "user.u", "v", 1, 0));
        SHOW(setxattr("sticky", "user.u", "v", 1, 0));
        SHOW(getxattr("sticky", "user.u", value, 1));
        SHOW(setxattr("other", "trusted.t", "v", 1, 0));
        SHOW(getxattr("other", "trusted.t", value, 1));
        SHOW(removexattr("other", "trusted.t"));
        SHOW(setxattr("other", "security.s", "v", 1, 0));
        SHOW(getxattr("other", "security.s", value, 1));
        SHOW(removexattr("other", "security.s"));
        SHOW(setxattr("other", "security.capability", "v", 1, 0));
        SHOW(removexattr("other", "security.capability"));
        SHOW(setxattr("other", "nonsense.u", "v", 1, 0));
        SHOW(setxattr("file", "nonsense.u", "v", 1, 0));
        list("other");
        fflush(stdout);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    list("other");
}

int main(void) {
    char directory[] = "/dev/shm/runsc-py-xattr-XXXXXX", command[100];
    CHECK(mkdtemp(directory) != NULL && chmod(directory, 0755) == 0 && chdir(directory) == 0);
    put_file("file", "x");
    put_file("other", "x");
    CHECK(mkdir("directory", 0755) == 0 && symlink("file", "link") == 0 && mkfifo("fifo", 0600) == 0);
    CHECK(mknod("device", S_IFCHR | 0600, makedev(1, 3)) == 0);
    CHECK(mknod("socket", S_IFSOCK | 0600, 0) == 0);
    static const char *paths[] = {"file", "directory", "link", "fifo", "device", "socket"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        on_every_name_space(paths[i]);
    sizes();
    flags();
    by_descriptor();
    as_another_user();
    snprintf(command, sizeof command, "rm -r %s", directory);
    return system(command);
}
