/* O_PATH: a descriptor that is only a place, and the calls that take one. */
#include "guest.h"
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

int main(void) {
    char buffer[64];
    struct stat status;
    struct statfs system;
    put_file("file", "text");
    CHECK(mkdir("d", 0755) == 0);
    put_file("d/inner", "inner");
    CHECK(symlink("file", "link") == 0);
    int file = SHOW(open("file", O_PATH | O_RDWR | O_APPEND | O_CREAT));
    SHOW(fcntl(file, F_GETFL) == O_PATH);
    SHOW(read(file, buffer, 4));
    SHOW(write(file, buffer, 4));
    SHOW(pread(file, buffer, 4, 0));
    SHOW(lseek(file, 0, SEEK_SET));
    SHOW(fsync(file));
    SHOW(fchmod(file, 0600));
    SHOW(fchown(file, -1, -1));
    SHOW(ftruncate(file, 0));
    SHOW(ioctl(file, FIONREAD, buffer));
    SHOW(fcntl(file, F_SETFL, O_NONBLOCK));
    SHOW(fgetxattr(file, "user.x", buffer, 4));
    SHOW(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0) == MAP_FAILED);
    SHOW(fstat(file, &status));
    SHOW(status.st_size);
    SHOW(fstatfs(file, &system));
    SHOW(fcntl(file, F_GETFD));
    SHOW(fcntl(file, F_SETFD, FD_CLOEXEC));
    int copy = SHOW(dup(file));
    SHOW(close(copy));
    int directory = SHOW(open("d", O_PATH | O_DIRECTORY));
    SHOW(openat(directory, "inner", O_RDONLY));
    SHOW(syscall(SYS_getdents64, directory, buffer, sizeof buffer));
    SHOW(openat(file, "x", O_RDONLY));
    SHOW(fchdir(file));
    int link = SHOW(open("link", O_PATH | O_NOFOLLOW));
    CHECK(fstat(link, &status) == 0);
    SHOW(S_ISLNK(status.st_mode));
    SHOW(readlinkat(link, "", buffer, sizeof buffer));
    SHOW(readlinkat(file, "", buffer, sizeof buffer));
    SHOW(open("link", O_PATH | O_NOFOLLOW | O_DIRECTORY));
    snprintf(buffer, sizeof buffer, "/proc/self/fd/%d", file);
    int opened = SHOW(open(buffer, O_RDWR));
    SHOW(read(opened, buffer, 4));
    snprintf(buffer, sizeof buffer, "/proc/self/fd/%d", link);
    SHOW(open(buffer, O_RDONLY));
    SHOW(fstatat(file, "", &status, AT_EMPTY_PATH));
    SHOW(faccessat(file, "", R_OK, AT_EMPTY_PATH));
    SHOW(fchdir(directory));
    show_file("inner");
    return 0;
}
