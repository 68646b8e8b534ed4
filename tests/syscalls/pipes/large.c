/* Ten megabytes through a pipe from a child: nothing lost, nothing out of order. */
#include "guest.h"

enum { TOTAL = 10 << 20 };

int main(void) {
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        unsigned *block = malloc(1 << 20);
        unsigned next = 0;
        for (int i = 0; i < TOTAL >> 20; i++) {
            for (int j = 0; j < 1 << 18; j++)
                block[j] = next++;
            CHECK(write(fds[1], block, 1 << 20) == 1 << 20);
        }
        _exit(0);
    }
    close(fds[1]);
    unsigned char *all = malloc(TOTAL + 1);
    long count, got = 0;
    while ((count = read(fds[0], all + got, TOTAL + 1 - got)) > 0)
        got += count;
    SHOW(got);
    long wrong = 0;
    for (unsigned i = 0; i < TOTAL / 4; i++)
        wrong += ((unsigned *)all)[i] != i;
    SHOW(wrong);
    wait_and_show("child", child);
    return 0;
}
