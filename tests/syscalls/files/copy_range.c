/* copy_file_range(2), tee(2), posix_fadvise(2), readahead(2): results and refusals. */
#include "guest.h"

int main(void) {
    put_file("from", "0123456789");
    int from = SHOW(open("from", O_RDWR));
    int to = SHOW(open("to", O_RDWR | O_CREAT, 0600));
    SHOW(copy_file_range(from, NULL, to, NULL, 4, 0));
    off_t in = 6, out = 8;
    SHOW(copy_file_range(from, &in, to, &out, 100, 0));
    SHOW(in);
    SHOW(out);
    show_file("to");
    SHOW(copy_file_range(from, NULL, to, NULL, 0, 0));
    SHOW(lseek(from, 0, SEEK_CUR));
    in = 2, out = 4;
    SHOW(copy_file_range(from, &in, from, &out, 4, 0));
    in = 0, out = 5;
    SHOW(copy_file_range(from, &in, from, &out, 5, 0));
    show_file("from");
    SHOW(copy_file_range(from, NULL, to, NULL, 1, 1));
    int read_only = SHOW(open("from", O_RDONLY));
    SHOW(copy_file_range(from, NULL, read_only, NULL, 1, 0));
    int append = SHOW(open("to", O_WRONLY | O_APPEND));
    SHOW(copy_file_range(from, NULL, append, NULL, 1, 0));
    int directory = SHOW(open(".", O_RDONLY));
    SHOW(copy_file_range(directory, NULL, to, NULL, 1, 0));
    int fds[2], others[2];
    CHECK(pipe(fds) == 0 && pipe(others) == 0);
    SHOW(copy_file_range(fds[0], NULL, to, NULL, 1, 0));
    SHOW(write(fds[1], "piped", 5));
    SHOW(tee(fds[0], others[1], 3, 0));
    char buffer[16];
    SHOW(read(others[0], buffer, 16));
    SHOW(read(fds[0], buffer, 16));
    SHOW(tee(fds[0], fds[1], 3, 0));
    SHOW(tee(fds[0], others[1], 3, SPLICE_F_NONBLOCK));
    SHOW(tee(from, others[1], 3, 0));
    SHOW(close(fds[1]));
    SHOW(tee(fds[0], others[1], 3, 0));
    SHOW(posix_fadvise(from, 0, 0, POSIX_FADV_DONTNEED));
    SHOW(posix_fadvise(from, 0, 0, 77));
    SHOW(posix_fadvise(fds[0], 0, 0, POSIX_FADV_NORMAL));
    SHOW(posix_fadvise(99, 0, 0, POSIX_FADV_NORMAL));
    SHOW(readahead(from, 0, 10));
    SHOW(readahead(fds[0], 0, 10));
    SHOW(sync_file_range(from, 0, 0, 0));
    SHOW(sync_file_range(from, -1, 0, 0));
    SHOW(syncfs(from));
    return 0;
}
