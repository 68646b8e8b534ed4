/* For guest programs that mount: a mount namespace of their own, and the tree of its mounts as text
 * without numbers, so that two kernels can be compared.
 */
#ifndef MOUNTS_H
#define MOUNTS_H

#include "guest.h"
#include <sched.h>
#include <sys/mount.h>

/* Without the right to mount both kernels end here. */
static UNUSED void own_mount_namespace(void) {
    if (unshare(CLONE_NEWNS) < 0) {
        printf("no mount namespace: %s\n", errno_name(errno));
        exit(0);
    }
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

static char work_directory[256];

/* A private tmpfs over the working directory, and in it. */
static UNUSED void work_in_own_tmpfs(void) {
    own_mount_namespace();
    CHECK(getcwd(work_directory, sizeof work_directory));
    CHECK(mount("work", work_directory, "tmpfs", 0, "mode=755") == 0);
    CHECK(chdir(work_directory) == 0);
}

static UNUSED void make_directories(const char *names) {
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok(copy, " "); name; name = strtok(NULL, " "))
        CHECK(mkdir(name, 0755) == 0);
}

/* Peer groups get letters in the order of their appearance in the whole run. */
static UNUSED char group_letter(int number) {
    static int known[26];
    for (int i = 0; i < 26; i++) {
        if (!known[i])
            known[i] = number;
        if (known[i] == number)
            return (char)('A' + i);
    }
    return '?';
}

struct shown_mount {
    char text[1400];
};

static int compare_mounts(const void *first, const void *second) {
    return strcmp(((const struct shown_mount *)first)->text,
                  ((const struct shown_mount *)second)->text);
}

static void optional_fields(char *result, size_t size, char *fields) {
    *result = 0;
    for (char *field = strtok(fields, " "); field && strcmp(field, "-"); field = strtok(NULL, " ")) {
        char shown[64];
        char *colon = strchr(field, ':');
        if (colon)
            snprintf(shown, sizeof shown, " %.*s:%c", (int)(colon - field), field,
                     group_letter(atoi(colon + 1)));
        else
            snprintf(shown, sizeof shown, " %s", field);
        strncat(result, shown, size - strlen(result) - 1);
    }
}

/* The mounts below the working tmpfs: mount point, root, options, propagation, source. */
static UNUSED void show_mounts(const char *title) {
    static struct shown_mount mounts[200];
    int count = 0;
    char line[4096];
    FILE *file = fopen("/proc/self/mountinfo", "r");
    CHECK(file);
    printf("%s:\n", title);
    while (fgets(line, sizeof line, file)) {
        char root[256], point[256], options[256], propagation[256];
        int end = 0;
        CHECK(sscanf(line, "%*d %*d %*s %255s %255s %255s%n", root, point, options, &end) == 3);
        size_t length = strlen(work_directory);
        if (strncmp(point, work_directory, length) || !point[length])
            continue;
        char *rest = line + end;
        char *source = strstr(rest, " - ") + 3;
        char type[64], from[256];
        CHECK(sscanf(source, "%63s %255s", type, from) == 2);
        optional_fields(propagation, sizeof propagation, rest);
        CHECK(count < 200);
        snprintf(mounts[count++].text, sizeof mounts[0].text, "  %s %s %s%s %s", point + length,
                 root, options, propagation, from);
    }
    fclose(file);
    qsort(mounts, (size_t)count, sizeof mounts[0], compare_mounts);
    for (int i = 0; i < count; i++)
        printf("%s\n", mounts[i].text);
}

#endif
