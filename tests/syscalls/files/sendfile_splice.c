/* sendfile(2), splice(2), tee(2), copy_file_range(2): bytes move, offsets follow. */
#include "guest.h"
#include <sys/sendfile.h>

int main(void) {
    put_file("source", "0123456789");
    int in = SHOW(open("source", O_RDONLY));
    int out = SHOW(open("target", O_RDWR | O_CREAT | O_TRUNC, 0600));
    SHOW(sendfile(out, in, NULL, 4));
    SHOW(lseek(in, 0, SEEK_CUR));
    off_t offset = 8;
    SHOW(sendfile(out, in, &offset, 100));
    SHOW(offset);
    SHOW(lseek(in, 0, SEEK_CUR));
    SHOW(sendfile(out, in, &offset, 100));
    show_file("target");
    int pipes[2], more[2];
    CHECK(pipe(pipes) == 0 && pipe(more) == 0);
    SHOW(splice(in, NULL, pipes[1], NULL, 3, 0));
    SHOW(tee(pipes[0], more[1], 10, 0));
    SHOW(splice(pipes[0], NULL, out, NULL, 10, 0));
    show_file("target");
    char data[8] = "";
    SHOW(read(more[0], data, 8));
    puts(data);
    SHOW(splice(in, NULL, out, NULL, 3, 0));
    SHOW(splice(pipes[0], NULL, out, NULL, 3, SPLICE_F_NONBLOCK));
    loff_t from = 2, to = 20;
    SHOW(copy_file_range(in, &from, out, &to, 5, 0));
    SHOW(from);
    SHOW(to);
    SHOW(lseek(out, 0, SEEK_END));
    SHOW(copy_file_range(in, NULL, out, NULL, 5, 1));
    SHOW(sendfile(in, out, NULL, 1));
    SHOW(sendfile(out, 77, NULL, 1));
    SHOW(sendfile(pipes[1], in, NULL, 2));
    return 0;
}
