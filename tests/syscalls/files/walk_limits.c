/* How long names, paths and chains of symbolic links may be; `..` above a root. */
// guest: user = root
#include "guest.h"

static char long_path[8192];

static const char *repeated(const char *part, int count, const char *last) {
    *long_path = 0;
    for (int i = 0; i < count; i++)
        strcat(long_path, part);
    return strcat(long_path, last);
}

static const char *name_of(int length) {
    memset(long_path, 'n', (size_t)length);
    long_path[length] = 0;
    return long_path;
}

static void lengths(void) {
    struct stat status;
    char target[8192];
    SHOW(mkdir(name_of(255), 0755));
    SHOW(rmdir(name_of(255)));
    SHOW(mkdir(name_of(256), 0755));
    SHOW(access(name_of(256), F_OK));
    SHOW(unlink(name_of(256)));
    SHOW(rename("f", name_of(256)));
    SHOW(rename(name_of(256), "g"));
    SHOW(symlink("x", name_of(256)));
    SHOW(access(repeated("./", 2047, "f"), F_OK));
    SHOW(access(repeated("./", 2048, "f"), F_OK));
    SHOW(access(repeated("./", 2046, "./f/"), F_OK));
    SHOW(access(repeated("/", 4094, "f") + 0, F_OK));
    memset(target, 't', sizeof target);
    target[4095] = 0;
    SHOW(symlink(target, "long"));
    SHOW(readlink("long", target, sizeof target));
    SHOW(lstat("long", &status));
    printf("size %ld\n", (long)status.st_size);
    SHOW(access("long", F_OK));
    memset(target, 't', sizeof target);
    target[4096] = 0;
    SHOW(symlink(target, "longer"));
    SHOW(symlink("", "empty"));
    SHOW(unlink("long"));
    SHOW(access(repeated("d/../", 800, "f"), F_OK));
    SHOW(access("f/x", F_OK));
    SHOW(access(strcat(strcpy(target, "none/"), name_of(256)), F_OK));
    SHOW(access(strcat(strcpy(target, "f/"), name_of(256)), F_OK));
}

static void chains(void) {
    char from[16], to[16];
    CHECK(symlink("f", "l0") == 0);
    for (int i = 1; i < 45; i++) {
        snprintf(from, sizeof from, "l%d", i);
        snprintf(to, sizeof to, "l%d", i - 1);
        CHECK(symlink(to, from) == 0);
    }
    SHOW(access("l38", F_OK));
    SHOW(access("l39", F_OK));
    SHOW(access("l40", F_OK));
    SHOW_OK(open("l39", O_RDONLY));
    SHOW_OK(open("l40", O_RDONLY));
    SHOW_OK(open("l39", O_WRONLY | O_CREAT, 0644));
    SHOW_OK(open("l40", O_WRONLY | O_CREAT, 0644));
    SHOW_OK(open("l40", O_RDONLY | O_NOFOLLOW));
    SHOW(faccessat(AT_FDCWD, "l40", F_OK, AT_SYMLINK_NOFOLLOW));
    CHECK(symlink("self", "self") == 0 && symlink("b", "a") == 0 && symlink("a", "b") == 0);
    SHOW(access("self", F_OK));
    SHOW(access("self/x", F_OK));
    SHOW(access("a", F_OK));
    SHOW_OK(open("a", O_CREAT | O_WRONLY, 0644));
    SHOW_OK(open("a", O_CREAT | O_EXCL | O_WRONLY, 0644));
    SHOW(chdir("self"));
    SHOW(rename("self", "other"));
    SHOW(unlink("other"));
    CHECK(symlink(".", "here") == 0);
    SHOW(access(repeated("here/", 40, "f"), F_OK));
    SHOW(access(repeated("here/", 41, "f"), F_OK));
}

static void roots(void) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct stat top, above;
        int outside = open(".", O_RDONLY);
        CHECK(mkdir("r", 0755) == 0 && mkdir("r/in", 0755) == 0 && symlink("/in", "r/abs") == 0);
        CHECK(symlink("../../../in", "r/up") == 0);
        CHECK(chroot("r") == 0);
        SHOW(access("/in", F_OK));
        SHOW(access("f", F_OK));
        char name[300];
        SHOW(syscall(SYS_getcwd, name, sizeof name) > 0);
        printf("%.13s\n", name);
        CHECK(chdir("/") == 0);
        CHECK(stat("/", &top) == 0 && stat("/../..", &above) == 0);
        printf("the same above: %d\n", top.st_ino == above.st_ino);
        SHOW(access("abs", F_OK));
        SHOW(access("up", F_OK));
        SHOW(access("/../r", F_OK));
        SHOW(faccessat(outside, "f", F_OK, 0));
        SHOW(faccessat(outside, "../..", F_OK, 0));
        SHOW(fchdir(outside));
        SHOW(access("r/in", F_OK));
        SHOW(access("/in", F_OK));
        SHOW(chroot("f"));
        SHOW(chroot("none"));
        CHECK(setresuid(1234, 1234, 1234) == 0);
        SHOW(chroot("."));
        fflush(stdout);
        _exit(0);
    }
    wait_and_show("in a root", child);
}

int main(void) {
    CHECK(mkdir("d", 0755) == 0);
    put_file("f", "text");
    lengths();
    chains();
    roots();
}
