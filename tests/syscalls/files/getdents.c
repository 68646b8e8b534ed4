/* getdents64(2) and readdir(3): every name once, types, rewinding, small buffers, removed entries. */
#include "guest.h"
#include <dirent.h>

static int compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list(DIR *directory) {
    char *names[300];
    int count = 0;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        char line[300];
        snprintf(line, sizeof line, "%s type %d", entry->d_name, entry->d_type);
        names[count++] = strdup(line);
    }
    qsort(names, count, sizeof *names, compare);
    printf("%d entries\n", count);
    for (int i = 0; i < count && i < 12; i++)
        puts(names[i]);
}

int main(void) {
    SHOW(mkdir("d", 0755));
    put_file("d/file", "");
    SHOW(mkdir("d/directory", 0755));
    SHOW(symlink("file", "d/link"));
    SHOW(mkfifo("d/fifo", 0644));
    DIR *directory = opendir("d");
    CHECK(directory);
    list(directory);
    put_file("d/later", "");
    SHOW(unlink("d/file"));
    rewinddir(directory);
    list(directory);
    for (int i = 0; i < 200; i++) {
        char name[32];
        sprintf(name, "d/many-%03d", i);
        put_file(name, "");
    }
    rewinddir(directory);
    list(directory);
    SHOW(closedir(directory));
    int fd = SHOW(open("d", O_RDONLY));
    char buffer[64];
    long calls = 0, got;
    while ((got = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
        calls++;
    SHOW(got);
    SHOW(calls > 60);
    SHOW(syscall(SYS_getdents64, fd, buffer, sizeof buffer));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(syscall(SYS_getdents64, fd, buffer, 8));
    SHOW(syscall(SYS_getdents64, fd, buffer, sizeof buffer) > 0);
    int file = SHOW(open("d/later", O_RDONLY));
    SHOW(syscall(SYS_getdents64, file, buffer, sizeof buffer));
    SHOW(read(fd, buffer, 10));
    return 0;
}
