/* Path names: too long, empty components, dots, names of 255 bytes, addresses that fault. */
#include "guest.h"
#include <limits.h>

int main(void) {
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    SHOW(mkdir(name, 0755));
    SHOW(access(name, F_OK));
    name[255] = 'n';
    name[256] = 0;
    SHOW(mkdir(name, 0755));
    char *path = malloc(PATH_MAX + 10);
    memset(path, '/', PATH_MAX + 10);
    path[PATH_MAX - 1] = 0;
    SHOW(access(path, F_OK));
    path[PATH_MAX - 1] = '/';
    path[PATH_MAX] = 0;
    SHOW(access(path, F_OK));
    put_file("file", "x");
    SHOW(access("./././file", F_OK));
    SHOW(access(".//file", F_OK));
    SHOW(access("file/.", F_OK));
    SHOW(access("/../../..", F_OK));
    SHOW(mkdir(".", 0755));
    SHOW(mkdir("..", 0755));
    SHOW(mkdir("/", 0755));
    SHOW(mkdir("new/", 0755));
    SHOW(mkdir("new", 0755));
    SHOW(mkdir("missing/new", 0755));
    SHOW(mkdir("file/new", 0755));
    SHOW(rmdir("/"));
    SHOW(syscall(SYS_mkdir, (char *)0, 0755));
    SHOW(syscall(SYS_open, (char *)0x10, O_RDONLY));
    SHOW(syscall(SYS_open, (char *)-8L, O_RDONLY));
    SHOW(mkdir("sp ace\n\xff", 0755));
    SHOW(access("sp ace\n\xff", F_OK));
    return 0;
}
