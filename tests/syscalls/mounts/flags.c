/* Flags of mounts and of file systems: what mount, remount and bind remount set, show and enforce. */
#include "mounts.h"
#include <sys/statfs.h>

static void show_flags(const char *title, const char *path) {
    struct statfs shown;
    CHECK(statfs(path, &shown) == 0);
    printf("%s: f_flags %lx\n", title, (unsigned long)shown.f_flags);
    show_mounts(title);
}

static void show_line(const char *title) {
    char line[4096], point[300];
    FILE *file = fopen("/proc/self/mounts", "r");
    CHECK(file);
    snprintf(point, sizeof point, " %s/m ", work_directory);
    while (fgets(line, sizeof line, file)) {
        char *found = strstr(line, point);
        if (found)
            printf("%s: %s", title, found + strlen(point));
    }
    fclose(file);
}

static const struct {
    const char *name;
    unsigned long flags;
} SETS[] = {
    {"none", 0},
    {"rdonly", MS_RDONLY},
    {"nosuid nodev noexec", MS_NOSUID | MS_NODEV | MS_NOEXEC},
    {"noatime", MS_NOATIME},
    {"nodiratime", MS_NODIRATIME},
    {"relatime", MS_RELATIME},
    {"strictatime", MS_STRICTATIME},
    {"noatime relatime", MS_NOATIME | MS_RELATIME},
    {"noatime strictatime", MS_NOATIME | MS_STRICTATIME},
    {"nosymfollow", 256},
    {"sync dirsync lazytime", MS_SYNCHRONOUS | MS_DIRSYNC | (1 << 25)},
    {"silent posixacl", MS_SILENT | (1 << 16)},
};

int main(void) {
    work_in_own_tmpfs();
    make_directories("m b");
    char title[100];
    for (unsigned i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        CHECK(mount("m", "m", "tmpfs", SETS[i].flags, "size=1m") == 0);
        show_flags(SETS[i].name, "m");
        show_line(SETS[i].name);
        CHECK(umount("m") == 0);
    }
    CHECK(mount("m", "m", "tmpfs", MS_NOEXEC | MS_NODIRATIME, "size=1m") == 0);
    CHECK(mount("m", "b", NULL, MS_BIND, NULL) == 0);
    for (unsigned i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        snprintf(title, sizeof title, "bind remount %s", SETS[i].name);
        CHECK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | SETS[i].flags, NULL) == 0);
        show_flags(title, "m");
    }
    CHECK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
    for (unsigned i = 0; i < sizeof SETS / sizeof *SETS; i++) {
        snprintf(title, sizeof title, "remount %s", SETS[i].name);
        CHECK(mount(NULL, "m", NULL, MS_REMOUNT | SETS[i].flags, NULL) == 0);
        show_flags(title, "m");
        show_line(title);
    }
    SHOW(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    SHOW(mkdir("b/x", 0755));
    SHOW(mount(NULL, "m", NULL, MS_REMOUNT, NULL));
    SHOW(mkdir("b/x", 0755));
    SHOW(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
    SHOW(mkdir("b/y", 0755));
    SHOW(mkdir("m/z", 0755));
    SHOW(mount(NULL, "m/x", NULL, MS_REMOUNT, NULL));
    int fd = open("b/f", O_WRONLY | O_CREAT, 0644);
    SHOW(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    SHOW(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
    close(fd);
    SHOW(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
    SHOW(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOEXEC | 256, NULL));
    SHOW(mknod("b/null", S_IFCHR | 0666, 0x103));
    SHOW_OK(open("b/null", O_RDONLY));
    put_file("b/script", "#!/bin/sh\n");
    SHOW(chmod("b/script", 0755));
    SHOW(access("b/script", X_OK));
    SHOW(execl("b/script", "script", NULL));
    SHOW(symlink("script", "b/link"));
    SHOW_OK(open("b/link", O_RDONLY));
    SHOW(umount("b"));
    SHOW(umount("m"));
    return 0;
}
