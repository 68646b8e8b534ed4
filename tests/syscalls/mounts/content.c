/* Content of files in a tmpfs: fallocate(2) modes, SEEK_DATA and SEEK_HOLE, flags of preadv2(2) and
 * pwritev2(2), O_TMPFILE and linkat(2), stable offsets of getdents(2).
 */
#include "mounts.h"
#include <dirent.h>
#include <sys/statfs.h>
#include <sys/uio.h>

enum { KEEP = 1, PUNCH = 2, NO_HIDE = 4, COLLAPSE = 8, ZERO = 0x10, INSERT = 0x20, UNSHARE = 0x40 };

static void extents(int fd, const char *title) {
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    printf("%s: size %ld, blocks %ld,", title, (long)status.st_size, (long)status.st_blocks);
    for (off_t at = 0; at >= 0 && at < status.st_size;) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0)
            break;
        at = lseek(fd, data, SEEK_HOLE);
        printf(" [%ld, %ld)", (long)data, (long)at);
    }
    printf("\n");
}

static void allocation(void) {
    static const int MODES[] = {0, KEEP, PUNCH, PUNCH | KEEP, ZERO, ZERO | KEEP, COLLAPSE, INSERT,
                                UNSHARE, NO_HIDE, PUNCH | KEEP | ZERO, COLLAPSE | KEEP};
    static const off_t RANGES[][2] = {{0, 4096}, {4096, 8192}, {1000, 9000}, {20480, 4096},
                                      {100000, 5000}, {-1, 5}, {0, 0}, {5, -1},
                                      {0x7fffffffffffffff, 5}};
    char content[16384];
    memset(content, 'x', sizeof content);
    for (unsigned m = 0; m < sizeof MODES / sizeof *MODES; m++)
        for (unsigned r = 0; r < sizeof RANGES / sizeof *RANGES; r++) {
            int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);
            CHECK(write(fd, content, sizeof content) == sizeof content);
            printf("mode %x, %ld for %ld: ", MODES[m], (long)RANGES[r][0], (long)RANGES[r][1]);
            if (SHOW(fallocate(fd, MODES[m], RANGES[r][0], RANGES[r][1])) == 0)
                extents(fd, "  now");
            CHECK(close(fd) == 0);
        }
    int fd = open("sparse", O_RDWR | O_CREAT, 0644);
    CHECK(ftruncate(fd, 1 << 20) == 0 && pwrite(fd, "x", 1, 70000) == 1);
    extents(fd, "sparse");
    SHOW(lseek(fd, 1 << 20, SEEK_DATA));
    SHOW(lseek(fd, 1 << 20, SEEK_HOLE));
    SHOW(lseek(fd, 80000, SEEK_DATA));
    SHOW(lseek(fd, 80000, SEEK_HOLE));
    SHOW(lseek(fd, -1, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(lseek(fd, 0, SEEK_CUR));
    CHECK(close(fd) == 0);
    fd = open("sparse", O_RDONLY);
    SHOW(fallocate(fd, 0, 0, 5));
    CHECK(close(fd) == 0);
}

static void vector_flags(void) {
    static const int FLAGS[] = {0, 1, 2, 4, 0x10, 0x20, 0x40, 0x10 | 0x20, 0x10000};
    char buffer[8];
    struct iovec vector = {buffer, 4};
    for (int append = 0; append < 2; append++)
        for (unsigned i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++) {
            put_file("v", "0123456789");
            int fd = open("v", O_RDWR | (append ? O_APPEND : 0));
            memcpy(buffer, "abcd", 4);
            printf("flags %x%s: ", FLAGS[i], append ? " O_APPEND" : "");
            SHOW(pwritev2(fd, &vector, 1, 2, FLAGS[i]));
            SHOW(pwritev2(fd, &vector, 1, -1, FLAGS[i]));
            SHOW(lseek(fd, 0, SEEK_CUR));
            SHOW(preadv2(fd, &vector, 1, 1, FLAGS[i]));
            SHOW(preadv2(fd, &vector, 1, -1, FLAGS[i]));
            char all[64];
            ssize_t size = pread(fd, all, sizeof all, 0);
            printf("  %.*s\n", (int)size, all);
            CHECK(close(fd) == 0);
        }
    int ends[2];
    CHECK(pipe(ends) == 0);
    SHOW(preadv2(ends[0], &vector, 1, -1, 8));
    SHOW(pwritev2(ends[1], &vector, 1, -1, 8));
    SHOW(preadv2(ends[0], &vector, 1, -1, 8));
    SHOW(preadv2(ends[0], &vector, 1, 0, 0));
}

static void unnamed(void) {
    char path[64];
    struct stat status;
    int fd = open(".", O_TMPFILE | O_RDWR, 0640);
    CHECK(fd >= 0 && write(fd, "text", 4) == 4 && fstat(fd, &status) == 0);
    printf("unnamed: %o, %d links\n", status.st_mode, (int)status.st_nlink);
    SHOW(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "second", AT_SYMLINK_FOLLOW));
    CHECK(fstat(fd, &status) == 0);
    printf("named: %d links, size %ld\n", (int)status.st_nlink, (long)status.st_size);
    SHOW(unlink("named"));
    SHOW(unlink("second"));
    SHOW(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH));
    CHECK(close(fd) == 0);
    fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    SHOW(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH));
    CHECK(close(fd) == 0);
    SHOW_OK(open(".", O_TMPFILE | O_RDONLY, 0600));
    SHOW_OK(open("v", O_TMPFILE | O_RDWR, 0600));
    SHOW_OK(open("none", O_TMPFILE | O_RDWR, 0600));
    SHOW_OK(open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
    SHOW_OK(open("/proc", O_TMPFILE | O_RDWR, 0600));
}

static void listing(void) {
    char name[32];
    int seen = 0, doubled = 0;
    CHECK(mkdir("many", 0755) == 0);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "many/%d", i);
        put_file(name, "");
    }
    DIR *directory = opendir("many");
    static char found[1000];
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        int number = atoi(entry->d_name);
        doubled += found[number]++;
        seen++;
        if (number < 500) {
            snprintf(name, sizeof name, "many/%d", number);
            CHECK(unlink(name) == 0);
        }
    }
    printf("removed while read: %d, twice %d, left %d\n", seen, doubled, rmdir("many"));
    closedir(directory);
    CHECK(mkdir("some", 0755) == 0);
    for (char letter = 'a'; letter <= 'j'; letter++) {
        snprintf(name, sizeof name, "some/%c", letter);
        put_file(name, "");
    }
    directory = opendir("some");
    for (int i = 0; i < 5; i++)
        CHECK(readdir(directory));
    long place = telldir(directory);
    struct dirent *next = readdir(directory);
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s", next->d_name);
    seekdir(directory, place);
    printf("the same after seekdir: %d\n", strcmp(readdir(directory)->d_name, wanted) == 0);
    rewinddir(directory);
    seen = 0;
    while (readdir(directory))
        seen++;
    printf("all: %d\n", seen);
    closedir(directory);
}

int main(void) {
    work_in_own_tmpfs();
    allocation();
    vector_flags();
    unnamed();
    listing();
}
