/* O_APPEND: every write goes to the end, wherever the offset is; pread and lseek are not bound. */
#include "guest.h"

int main(void) {
    put_file("log", "one\n");
    int fd = SHOW(open("log", O_RDWR | O_APPEND));
    int other = SHOW(open("log", O_WRONLY | O_APPEND));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(write(fd, "two\n", 4));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(write(other, "three\n", 6));
    SHOW(write(fd, "four\n", 5));
    SHOW(lseek(fd, 0, SEEK_CUR));
    char text[8] = "";
    SHOW(pread(fd, text, 3, 4));
    puts(text);
    SHOW(fcntl(fd, F_GETFL) & O_APPEND ? 1 : 0);
    SHOW(fcntl(fd, F_SETFL, 0));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(write(fd, "ONE", 3));
    show_file("log");
    return 0;
}
