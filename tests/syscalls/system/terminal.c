/* Pseudo-terminals: line editing, echo, signals from the keyboard, window size, raw mode. */
// guest: cflags = -lutil
#include "guest.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

int main(void) {
    SHOW(isatty(0));
    int leader, follower;
    struct winsize size = {.ws_row = 33, .ws_col = 101};
    CHECK(openpty(&leader, &follower, NULL, NULL, &size) == 0);
    SHOW(isatty(follower));
    SHOW(ioctl(follower, TIOCGWINSZ, &size));
    printf("%d x %d\n", size.ws_row, size.ws_col);
    char data[64] = "";
    SHOW(write(leader, "helxx\177\177lo\n", 10));
    SHOW(read(follower, data, sizeof data));
    printf("line: %s", data);
    memset(data, 0, sizeof data);
    SHOW(write(follower, "out\n", 4));
    struct termios mode;
    SHOW(tcgetattr(follower, &mode));
    SHOW((mode.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
    cfmakeraw(&mode);
    SHOW(tcsetattr(follower, TCSANOW, &mode));
    while (ioctl(leader, FIONREAD, &(int){0}) == 0 && read(leader, data, sizeof data) < 4)
        continue;
    SHOW(write(leader, "k", 1));
    SHOW(read(follower, data, sizeof data));
    pid_t child = forkpty(&leader, NULL, NULL, NULL);
    if (child == 0) {
        SHOW(isatty(0));
        SHOW(tcgetpgrp(0) == getpid());
        for (;;)
            pause();
    }
    char all[256] = "";
    size_t got = 0;
    while (!strstr(all, "getpid() = 1") && got < 200) {
        long count = read(leader, all + got, sizeof all - got - 1);
        if (count <= 0)
            break;
        got += count;
    }
    printf("%s", all);
    SHOW(write(leader, "\003", 1));
    wait_and_show("child", child);
    SHOW(ioctl(1, TIOCGWINSZ, &size));
    return 0;
}
