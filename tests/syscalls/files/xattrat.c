/* setxattrat(2), getxattrat(2), listxattrat(2), removexattrat(2), file_getattr(2), file_setattr(2). */
// guest: user = root
// guest: kernel = 6.17
#include "guest.h"
#include <linux/fs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#define SETXATTRAT 463
#define GETXATTRAT 464
#define LISTXATTRAT 465
#define REMOVEXATTRAT 466
#define FILE_GETATTR 468
#define FILE_SETATTR 469

struct arguments {
    uint64_t value;
    uint32_t size, flags;
    uint64_t unknown;
};

struct attributes {
    uint64_t xflags;
    uint32_t extsize, nextents, projid, cowextsize;
    uint64_t unknown;
};

static char value[100];

static void names_and_sizes(int directory, int file, int place) {
    struct arguments set = {(uintptr_t)"value", 5, 0, 0}, get = {(uintptr_t)value, 100, 0, 0};
    SHOW(syscall(SETXATTRAT, directory, "file", 0, "user.a", &set, 16));
    SHOW(syscall(SETXATTRAT, directory, "file", 0, "user.b", &set, 24));
    SHOW(syscall(GETXATTRAT, directory, "file", 0, "user.a", &get, 16));
    SHOW(syscall(GETXATTRAT, directory, "link", 0, "user.a", &get, 16));
    SHOW(syscall(GETXATTRAT, directory, "link", AT_SYMLINK_NOFOLLOW, "user.a", &get, 16));
    SHOW(syscall(GETXATTRAT, file, "", AT_EMPTY_PATH, "user.a", &get, 16));
    SHOW(syscall(GETXATTRAT, file, NULL, AT_EMPTY_PATH, "user.a", &get, 16));
    SHOW(syscall(GETXATTRAT, place, "", AT_EMPTY_PATH, "user.a", &get, 16));
    SHOW(syscall(GETXATTRAT, file, "", 0, "user.a", &get, 16));
    SHOW(syscall(GETXATTRAT, 99, "file", 0, "user.a", &get, 16));
    SHOW(syscall(GETXATTRAT, 99, "file", 0x2000, "", &get, 15));
    SHOW(syscall(GETXATTRAT, 99, "file", 0x2000, "", &get, 4097));
    SHOW(syscall(GETXATTRAT, 99, "file", 0x2000, "", &get, 16));
    SHOW(syscall(GETXATTRAT, 99, "file", 0, "", &get, 16));
    SHOW(syscall(GETXATTRAT, directory, "file", 0, "user.a", 8, 16));
    get.flags = 1;
    SHOW(syscall(GETXATTRAT, directory, "file", 0, "user.a", &get, 16));
    set.flags = XATTR_CREATE;
    SHOW(syscall(SETXATTRAT, directory, "file", 0, "user.a", &set, 16));
    set.flags = 8;
    SHOW(syscall(SETXATTRAT, 99, "missing", 0, "user.a", &set, 16));
    set.flags = 0, set.unknown = 1;
    SHOW(syscall(SETXATTRAT, directory, "file", 0, "user.a", &set, 24));
    SHOW(syscall(LISTXATTRAT, directory, "file", 0, value, 100));
    SHOW(syscall(LISTXATTRAT, directory, "file", 0x2000, value, 100));
    SHOW(syscall(LISTXATTRAT, AT_FDCWD, "", AT_EMPTY_PATH, value, 100));
    SHOW(syscall(LISTXATTRAT, file, NULL, AT_EMPTY_PATH, value, 3));
    SHOW(syscall(REMOVEXATTRAT, directory, "file", 0, "user.a"));
    SHOW(syscall(REMOVEXATTRAT, directory, "file", 1, "user.a"));
    SHOW(syscall(REMOVEXATTRAT, file, "", AT_EMPTY_PATH, "user.b"));
    SHOW(syscall(REMOVEXATTRAT, AT_FDCWD, "", AT_EMPTY_PATH, "user.b"));
}

static void show(struct attributes *attributes) {
    printf("xflags %#lx, others %u %u %u %u, unknown %lx\n", attributes->xflags,
           attributes->extsize, attributes->nextents, attributes->projid, attributes->cowextsize,
           attributes->unknown);
}

static void attributes(int directory, int file, int place) {
    struct attributes get, set = {0x80, 0, 0, 0, 0, 0};
    memset(&get, 0xff, sizeof get);
    SHOW(syscall(FILE_GETATTR, directory, "file", &get, 24, 0));
    show(&get);
    SHOW(syscall(FILE_SETATTR, directory, "file", &set, 24, 0));
    SHOW(syscall(FILE_GETATTR, place, "", &get, 32, AT_EMPTY_PATH));
    SHOW(syscall(FILE_GETATTR, file, "", &get, 32, AT_EMPTY_PATH));
    show(&get);
    SHOW(syscall(FILE_GETATTR, directory, "fifo", &get, 24, 0));
    SHOW(syscall(FILE_SETATTR, directory, "fifo", &set, 24, 0));
    SHOW(syscall(FILE_GETATTR, directory, "link", &get, 24, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(FILE_GETATTR, directory, "file", &get, 23, 0));
    SHOW(syscall(FILE_GETATTR, directory, "file", &get, 4097, 0));
    SHOW(syscall(FILE_GETATTR, directory, "file", 8, 24, 0));
    SHOW(syscall(FILE_GETATTR, directory, "file", &get, 24, 1));
    SHOW(syscall(FILE_SETATTR, directory, "missing", &set, 24, 0));
    set.xflags = 1ULL << 40;
    SHOW(syscall(FILE_SETATTR, directory, "missing", &set, 24, 0));
    set.xflags = 0x80000002;
    SHOW(syscall(FILE_SETATTR, directory, "file", &set, 24, 0));
    set.xflags = 0x800;
    SHOW(syscall(FILE_SETATTR, directory, "file", &set, 24, 0));
    set.xflags = 0, set.projid = 5;
    SHOW(syscall(FILE_SETATTR, directory, "file", &set, 24, 0));
    set.projid = 0, set.unknown = 1;
    SHOW(syscall(FILE_SETATTR, directory, "file", &set, 32, 0));
    SHOW(syscall(FILE_GETATTR, directory, "file", &get, 24, 0));
    show(&get);
}

int main(void) {
    char path[] = "/dev/shm/runsc-py-xattrat-XXXXXX", command[100];
    CHECK(mkdtemp(path) != NULL);
    int directory = open(path, O_RDONLY | O_DIRECTORY);
    CHECK(fchdir(directory) == 0);
    put_file("file", "x");
    CHECK(symlink("file", "link") == 0 && mkfifo("fifo", 0600) == 0 && chdir("/") == 0);
    int file = openat(directory, "file", O_RDONLY), place = openat(directory, "file", O_PATH);
    names_and_sizes(directory, file, place);
    attributes(directory, file, place);
    snprintf(command, sizeof command, "rm -r %s", path);
    return system(command);
}
