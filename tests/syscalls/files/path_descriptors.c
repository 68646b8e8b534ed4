/* open(2) with O_PATH: which calls work with such a descriptor. */
// guest: user = root
#include "guest.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

static void file_calls(int fd) {
    char buffer[64];
    struct stat status;
    struct statfs system;
    struct flock lock = {.l_type = F_RDLCK};
    struct timespec times[2] = {{1, 0}, {2, 0}};
    SHOW(read(fd, buffer, 1));
    SHOW(write(fd, buffer, 1));
    SHOW(pread(fd, buffer, 1, 0));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(fstat(fd, &status));
    SHOW(fstatfs(fd, &system));
    SHOW(fchmod(fd, 0600));
    SHOW(fchown(fd, 0, 0));
    SHOW(ftruncate(fd, 0));
    SHOW(fsync(fd));
    SHOW(ioctl(fd, FIONREAD, buffer));
    SHOW(ioctl(fd, FIOCLEX));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(fd, F_SETFL, O_NONBLOCK));
    SHOW(fcntl(fd, F_SETLK, &lock));
    SHOW(fcntl(fd, F_GETOWN));
    SHOW(fcntl(fd, F_SETLEASE, F_RDLCK));
    SHOW(fcntl(fd, F_NOTIFY, 1));
    SHOW(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0);
    SHOW(futimens(fd, times));
    SHOW(utimensat(fd, "", times, AT_EMPTY_PATH));
    SHOW(fgetxattr(fd, "user.x", buffer, 8));
    SHOW(fsetxattr(fd, "user.x", "v", 1, 0));
    SHOW(flistxattr(fd, buffer, 8));
    SHOW(posix_fadvise(fd, 0, 0, 0));
    SHOW(fallocate(fd, 0, 0, 1));
    SHOW(syscall(SYS_getdents64, fd, buffer, 64));
    SHOW(syscall(SYS_flock, fd, 1));
    SHOW(syncfs(fd));
    SHOW(faccessat(fd, "", F_OK, AT_EMPTY_PATH));
    SHOW(fchownat(fd, "", 0, 0, AT_EMPTY_PATH));
    SHOW(syscall(452, fd, "", 0640, AT_EMPTY_PATH));
    SHOW_OK(openat(fd, "", O_RDONLY));
    int again = dup(fd);
    printf("flags %o %o\n", fcntl(fd, F_GETFL) & ~0100000, fcntl(again, F_GETFL) & ~0100000);
    CHECK(close(again) == 0);
}

static void through_proc(int fd) {
    char path[64], target[300];
    struct stat status;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    SHOW(readlink(path, target, sizeof target) > 0);
    int file = open(path, O_RDWR);
    if (file < 0)
        printf("open again: %s\n", errno_name(errno));
    else
        SHOW(write(file, "more", 4));
    SHOW_OK(open(path, O_RDONLY | O_NOFOLLOW));
    SHOW(lstat(path, &status));
    printf("%o\n", status.st_mode);
    SHOW(chmod(path, 0604));
    SHOW(linkat(AT_FDCWD, path, AT_FDCWD, "by proc", AT_SYMLINK_FOLLOW));
    SHOW(linkat(fd, "", AT_FDCWD, "by descriptor", AT_EMPTY_PATH));
    SHOW(unlink("by proc"));
    SHOW(unlink("by descriptor"));
}

static void passed(int fd) {
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 'x';
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    SHOW(sendmsg(pair[0], &message, 0));
    SHOW(recvmsg(pair[1], &message, 0));
    int received;
    memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof received);
    printf("received: %o\n", fcntl(received, F_GETFL) & O_PATH);
}

int main(void) {
    setbuf(stdout, NULL);
    CHECK(mkdir("d", 0755) == 0 && symlink("file", "link") == 0);
    put_file("file", "text");
    put_file("d/in", "text");
    int file = open("file", O_PATH | O_RDWR | O_APPEND | O_CLOEXEC);
    CHECK(file >= 0);
    printf("a file:\n");
    file_calls(file);
    through_proc(file);
    passed(file);
    int link = open("link", O_PATH | O_NOFOLLOW);
    CHECK(link >= 0);
    printf("a symbolic link:\n");
    char target[16];
    struct stat status;
    SHOW(readlinkat(link, "", target, sizeof target));
    SHOW(fstat(link, &status));
    printf("%o\n", status.st_mode);
    SHOW(fchmod(link, 0600));
    SHOW(fchownat(link, "", 0, 0, AT_EMPTY_PATH));
    SHOW_OK(openat(link, "x", O_RDONLY));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", link);
    SHOW_OK(open(path, O_RDONLY));
    SHOW_OK(open(path, O_PATH));
    SHOW(linkat(link, "", AT_FDCWD, "a link's link", AT_EMPTY_PATH));
    int directory = open("d", O_PATH);
    CHECK(directory >= 0);
    printf("a directory:\n");
    SHOW_OK(openat(directory, "in", O_RDONLY));
    SHOW_OK(openat(directory, "new", O_CREAT | O_WRONLY, 0644));
    SHOW(fchdir(directory));
    SHOW(access("in", F_OK));
    SHOW(unlinkat(directory, "new", 0));
    SHOW(syscall(SYS_getdents64, directory, target, 16));
    SHOW(fchdir(file));
    SHOW_OK(openat(file, "x", O_RDONLY));
    SHOW_OK(open("in", O_PATH | O_DIRECTORY));
    SHOW_OK(open("in", O_PATH | O_CREAT | O_EXCL | O_TRUNC));
    SHOW(stat("in", &status));
    printf("size %ld\n", (long)status.st_size);
    CHECK(chmod("in", 0) == 0 && setresuid(1234, 1234, 1234) == 0);
    SHOW_OK(open("in", O_PATH));
    SHOW_OK(open("in", O_RDONLY));
}
