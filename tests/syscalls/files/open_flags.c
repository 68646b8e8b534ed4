/* open(2): what each flag does to a file that exists and to one that does not. */
#include "guest.h"

int main(void) {
    SHOW(open("missing", O_RDONLY));
    SHOW(open("", O_RDONLY));
    int fd = SHOW(open("made", O_WRONLY | O_CREAT | O_EXCL, 0640));
    SHOW(write(fd, "hello", 5));
    SHOW(read(fd, (char[4]){0}, 4));
    SHOW(close(fd));
    SHOW(close(fd));
    SHOW(open("made", O_WRONLY | O_CREAT | O_EXCL, 0640));
    fd = SHOW(open("made", O_RDONLY));
    SHOW(write(fd, "x", 1));
    SHOW(close(fd));
    fd = SHOW(open("made", O_RDWR | O_TRUNC));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(close(fd));
    SHOW(mkdir("directory", 0755));
    SHOW(open("directory", O_WRONLY));
    SHOW(open("directory", O_RDONLY | O_CREAT, 0600));
    SHOW(open("made", O_RDONLY | O_DIRECTORY));
    SHOW(open("made/below", O_RDONLY));
    SHOW(open("missing/below", O_RDONLY | O_CREAT, 0600));
    SHOW(open("made/", O_RDONLY));
    SHOW(open("new/", O_RDWR | O_CREAT, 0600));
    SHOW(symlink("made", "link"));
    SHOW(open("link", O_RDONLY | O_NOFOLLOW));
    fd = SHOW(open("link", O_PATH | O_NOFOLLOW));
    SHOW(read(fd, (char[4]){0}, 4));
    SHOW(fcntl(fd, F_GETFL) == (O_PATH | O_NOFOLLOW));
    SHOW(close(fd));
    SHOW(symlink("target-of-dangling", "dangling"));
    SHOW(open("dangling", O_RDONLY));
    SHOW(open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0600));
    fd = SHOW(open("dangling", O_WRONLY | O_CREAT, 0600));
    SHOW(access("target-of-dangling", F_OK));
    SHOW(close(fd));
    fd = SHOW(open("made", O_RDONLY | O_CLOEXEC));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_GETFL) & O_ACCMODE);
    return 0;
}
