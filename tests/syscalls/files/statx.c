/* stat(2), fstatat(2), statx(2): the fields that do not differ between two machines. */
#include "guest.h"
#include <sys/sysmacros.h>

int main(void) {
    put_file("file", "0123456789");
    SHOW(chmod("file", 0640));
    struct stat status;
    SHOW(stat("file", &status));
    printf("mode %o links %lu size %ld rdev %lu\n", status.st_mode,
           (unsigned long)status.st_nlink, (long)status.st_size, (unsigned long)status.st_rdev);
    SHOW(status.st_blksize > 0);
    SHOW(status.st_ino != 0);
    struct stat again;
    int fd = SHOW(open("file", O_RDONLY));
    SHOW(fstat(fd, &again));
    SHOW(again.st_ino == status.st_ino && again.st_dev == status.st_dev);
    struct statx extended;
    memset(&extended, 0, sizeof extended);
    SHOW(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &extended));
    SHOW((extended.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
    printf("mode %o links %u size %llu\n", extended.stx_mode, extended.stx_nlink,
           (unsigned long long)extended.stx_size);
    SHOW(extended.stx_ino == status.st_ino);
    SHOW(extended.stx_uid == geteuid());
    SHOW(extended.stx_mtime.tv_sec == status.st_mtim.tv_sec);
    SHOW(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &extended));
    SHOW(statx(fd, "", 0, STATX_SIZE, &extended));
    SHOW(statx(AT_FDCWD, "missing", 0, STATX_SIZE, &extended));
    SHOW(statx(AT_FDCWD, "file", 0x40000000, STATX_SIZE, &extended));
    SHOW(statx(AT_FDCWD, "file", 0, STATX__RESERVED, &extended));
    SHOW(fstatat(fd, "", &again, AT_EMPTY_PATH));
    SHOW(again.st_size);
    SHOW(stat("/dev/null", &status));
    printf("null: mode %o rdev %u:%u\n", status.st_mode & S_IFMT, major(status.st_rdev),
           minor(status.st_rdev));
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    SHOW(fstat(pipes[0], &status));
    printf("pipe: mode %o size %ld\n", status.st_mode, (long)status.st_size);
    SHOW(stat("/", &status));
    printf("root: %o\n", status.st_mode & S_IFMT);
    SHOW(fstat(77, &status));
    SHOW(syscall(SYS_stat, "file", (void *)8));
    return 0;
}
