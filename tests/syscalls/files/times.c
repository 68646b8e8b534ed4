/* utimensat(2): set times, now, omit; which calls change which times. */
#include "guest.h"

static struct stat status;

static void show(void) {
    CHECK(stat("file", &status) == 0);
    printf("access %ld.%09ld modification %ld.%09ld\n", status.st_atim.tv_sec,
           status.st_atim.tv_nsec, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

int main(void) {
    put_file("file", "x");
    struct timespec times[2] = {{1000, 111}, {2000, 222}};
    SHOW(utimensat(AT_FDCWD, "file", times, 0));
    show();
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = 3000;
    SHOW(utimensat(AT_FDCWD, "file", times, 0));
    show();
    times[1].tv_nsec = UTIME_NOW;
    SHOW(utimensat(AT_FDCWD, "file", times, 0));
    CHECK(stat("file", &status) == 0);
    SHOW(status.st_atim.tv_sec);
    SHOW(labs(status.st_mtim.tv_sec - time(NULL)) <= 2);
    times[0].tv_nsec = 1000000000;
    SHOW(utimensat(AT_FDCWD, "file", times, 0));
    SHOW(utimensat(AT_FDCWD, "missing", NULL, 0));
    SHOW(utimensat(AT_FDCWD, "file", NULL, 0));
    SHOW(symlink("file", "link"));
    struct timespec link_times[2] = {{5, 5}, {6, 6}};
    SHOW(utimensat(AT_FDCWD, "link", link_times, AT_SYMLINK_NOFOLLOW));
    CHECK(lstat("link", &status) == 0);
    SHOW(status.st_mtim.tv_sec);
    CHECK(stat("file", &status) == 0);
    SHOW(status.st_mtim.tv_sec == 6);
    int fd = SHOW(open("file", O_WRONLY));
    struct timespec old[2] = {{10, 0}, {20, 0}};
    SHOW(futimens(fd, old));
    show();
    SHOW(write(fd, "more", 4));
    CHECK(stat("file", &status) == 0);
    SHOW(status.st_mtim.tv_sec > 1000000);
    SHOW(status.st_ctim.tv_sec > 1000000);
    struct timeval old_style[2] = {{7, 7}, {8, 8}};
    SHOW(utimes("file", old_style));
    show();
    return 0;
}
