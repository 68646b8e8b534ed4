/* For guest programs that configure file systems: the calls of the new mount API, and the messages
 * that the kernel leaves in a context.
 */
#ifndef CONTEXTS_H
#define CONTEXTS_H

#include "mounts.h"

/* newer than the C library */
#define CREATE_EXCLUSIVE 8

/* Print what the kernel has to say about the last errors. */
static UNUSED void show_log(int fd) {
    char message[512];
    ssize_t size;
    while ((size = read(fd, message, sizeof message)) > 0)
        printf("  log: %.*s%s", (int)size, message, message[size - 1] == '\n' ? "" : "|\n");
    if (errno != ENODATA)
        printf("  log: %s\n", errno_name(errno));
}

static UNUSED int set_string(int fd, const char *key, const char *value) {
    return fsconfig(fd, FSCONFIG_SET_STRING, key, value, 0);
}

static UNUSED int set_flag(int fd, const char *key) {
    return fsconfig(fd, FSCONFIG_SET_FLAG, key, NULL, 0);
}

static UNUSED int create(int fd) {
    return fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static UNUSED int reconfigure(int fd) {
    return fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

#define FSOPEN(type) CHECK((fd = fsopen(type, FSOPEN_CLOEXEC)) >= 0)
#define FSPICK(path) CHECK((fd = fspick(AT_FDCWD, path, FSPICK_CLOEXEC)) >= 0)

/* The options of the mount at this name in the working directory, as /proc/self/mounts has them. */
static UNUSED void show_options(const char *name) {
    char line[4096], point[300];
    FILE *file = fopen("/proc/self/mounts", "r");
    CHECK(file);
    snprintf(point, sizeof point, " %s/%s ", work_directory, name);
    while (fgets(line, sizeof line, file)) {
        char *found = strstr(line, point), *hosts = strstr(line, ",inode64");
        if (hosts) // the default of some kernels
            memmove(hosts, hosts + 8, strlen(hosts + 8) + 1);
        if (found)
            printf("  %.*s at %s: %s", (int)(found - line), line, name, found + strlen(point));
    }
    fclose(file);
}

#endif
