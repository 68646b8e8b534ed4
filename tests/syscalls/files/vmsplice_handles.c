/* vmsplice(2) both ways; name_to_handle_at(2) as far as its results are the same everywhere. */
#include "guest.h"
#include <sys/uio.h>

int main(void) {
    int fds[2];
    CHECK(pipe(fds) == 0);
    char first[] = "hello ", second[] = "world", back[16] = "";
    struct iovec parts[2] = {{first, 6}, {second, 5}};
    SHOW(vmsplice(fds[1], parts, 2, 0));
    struct iovec into[2] = {{back, 4}, {back + 4, 12}};
    SHOW(vmsplice(fds[0], into, 2, 0));
    printf("%s\n", back);
    SHOW(vmsplice(fds[0], into, 2, SPLICE_F_NONBLOCK));
    SHOW(vmsplice(fds[1], parts, 0, 0));
    SHOW(vmsplice(fds[1], parts, 2, 0x100));
    put_file("file", "text");
    int file = SHOW(open("file", O_RDWR));
    SHOW(vmsplice(file, parts, 2, 0));
    SHOW(vmsplice(77, parts, 2, 0));
    struct iovec bad = {(void *)8, 16};
    SHOW(vmsplice(fds[1], &bad, 1, 0));
    SHOW(close(fds[0]));
    signal(SIGPIPE, SIG_IGN);
    SHOW(vmsplice(fds[1], parts, 2, 0));

    struct {
        struct file_handle head;
        char data[128];
    } handle = {.head = {.handle_bytes = 0}};
    int mount;
    SHOW(name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount, 0));
    SHOW(handle.head.handle_bytes > 0);
    SHOW(name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount, 0));
    SHOW(name_to_handle_at(file, "", &handle.head, &mount, AT_EMPTY_PATH));
    SHOW(name_to_handle_at(file, "", &handle.head, &mount, 0));
    SHOW(name_to_handle_at(AT_FDCWD, "missing", &handle.head, &mount, 0));
    SHOW(name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount, 0x8000));
    handle.head.handle_bytes = 129;
    SHOW(name_to_handle_at(AT_FDCWD, "file", &handle.head, &mount, 0));
    return 0;
}
