/* Options of the other file systems: which there are, and what is said of those that are none.
 *
 * Nothing is changed of what the machine shares: cgroup2, devtmpfs, mqueue and sysfs are one file
 * system however often they are mounted.
 */
#include "contexts.h"

static void refused(const char *type) {
    int fd;
    printf("%s:\n", type);
    SHOW(mount("x", "m", type, 0, "what"));
    SHOW(mount("x", "m", type, 0, "what=1"));
    FSOPEN(type);
    SHOW(set_flag(fd, "what"));
    show_log(fd);
    SHOW(set_string(fd, "source", "some where"));
    SHOW(set_string(fd, "source", "else"));
    show_log(fd);
    SHOW(set_flag(fd, "ro"));
    CHECK(close(fd) == 0);
}

static void layers(int fd, const char *key, const char *value) {
    printf("%s=%s: ", key, value);
    SHOW(value ? set_string(fd, key, value) : set_flag(fd, key));
    show_log(fd);
}

/* Only the layers: the rest depends on what the kernel was configured with. */
static void show_layers(void) {
    char line[4096], point[300];
    FILE *file = fopen("/proc/self/mounts", "r");
    CHECK(file);
    snprintf(point, sizeof point, " %s/m overlay ", work_directory);
    while (fgets(line, sizeof line, file)) {
        char *options = strstr(line, point);
        for (char *option = options ? strtok(options + strlen(point), ", \n") : NULL; option;
             option = strtok(NULL, ", \n"))
            if (strstr(option, "dir") && !strstr(option, "redirect_dir"))
                printf("  %s", option);
            else if (!strcmp(option, "ro") || !strcmp(option, "rw"))
                printf("  %s", option);
        if (options)
            printf("\n");
    }
    fclose(file);
}

#define BOTH "lowerdir=l1,upperdir=u,workdir=w"

static const char *const OVERLAYS[] = {
    "",
    "lowerdir=l1",
    "lowerdir=l1:l2",
    "lowerdir=none:l1",
    "lowerdir=l1/file:l2",
    "lowerdir=l1:l1",
    "lowerdir=l1,upperdir=u",
    "lowerdir=l1,workdir=w",
    "upperdir=u,workdir=w",
    "lowerdir=l1,upperdir=u,workdir=u",
    "lowerdir=with\\:colon:l2",
    BOTH,
    BOTH ",redirect_dir=on",
    BOTH ",redirect_dir=x",
    BOTH ",index=off",
    BOTH ",index=maybe",
    BOTH ",metacopy=off",
    BOTH ",xino=auto",
    BOTH ",what",
    BOTH ",xino",
    "lowerdir+=l1,lowerdir+=l2",
    "lowerdir+=l1,upperdir=u,workdir=w",
};

static void overlays(void) {
    int fd;
    make_directories("l1 l2 u w with:colon");
    put_file("l1/file", "text");
    for (unsigned i = 0; i < sizeof OVERLAYS / sizeof *OVERLAYS; i++) {
        printf("\"%s\": ", OVERLAYS[i]);
        if (SHOW(mount("over", "m", "overlay", 0, OVERLAYS[i])))
            continue;
        show_layers();
        SHOW(access("m/file", F_OK));
        SHOW(mount(NULL, "m", NULL, MS_REMOUNT, "what"));
        SHOW(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, "lowerdir=none"));
        FSPICK("m");
        layers(fd, "lowerdir", "l2");
        layers(fd, "what", NULL);
        SHOW(set_flag(fd, "ro"));
        SHOW(reconfigure(fd));
        CHECK(close(fd) == 0);
        CHECK(umount("m") == 0);
    }
    FSOPEN("overlay");
    layers(fd, "lowerdir", "none");
    layers(fd, "lowerdir+", "l2");
    SHOW(create(fd));
    CHECK(close(fd) == 0);
    FSOPEN("overlay");
    layers(fd, "upperdir", "l1/file");
    layers(fd, "upperdir", "");
    layers(fd, "upperdir", "u");
    layers(fd, "workdir", "w");
    layers(fd, "lowerdir+", "l2");
    layers(fd, "lowerdir+", "l1");
    layers(fd, "xino", "x");
    SHOW(create(fd));
    int mounted = fsmount(fd, 0, 0);
    CHECK(mounted >= 0);
    SHOW(move_mount(mounted, "", AT_FDCWD, "m", MOVE_MOUNT_F_EMPTY_PATH));
    show_layers();
    SHOW(access("m/file", F_OK));
    CHECK(close(fd) == 0 && close(mounted) == 0);
    SHOW(umount("m"));
}

int main(void) {
    work_in_own_tmpfs();
    make_directories("m");
    refused("sysfs");
    refused("cgroup2");
    refused("devtmpfs");
    refused("mqueue");
    overlays();
}
