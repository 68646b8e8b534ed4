/* A pipe or FIFO is opened for reading, for writing or for both: the fourth access mode is none. */
#include "guest.h"
#include <fcntl.h>
#include <sys/stat.h>

int main(void) {
    char path[64];
    int ends[2];

    CHECK(mkfifo("fifo", 0600) == 0);
    SHOW(open("fifo", O_ACCMODE));
    SHOW(open("fifo", O_ACCMODE | O_NONBLOCK));
    CHECK(pipe(ends) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    SHOW(open(path, O_ACCMODE));
    SHOW(open(path, O_ACCMODE | O_NONBLOCK));
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK(unlink("fifo") == 0);
    return 0;
}
