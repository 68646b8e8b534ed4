/* A process group with a stopped member that becomes orphaned gets SIGHUP and SIGCONT, one that
 * was orphaned before does not. */
#include "guest.h"

static int fds[2];

static void handler(int number) {
    const char *name = number == SIGHUP ? "HUP " : "CONT ";
    CHECK(write(fds[1], name, strlen(name)) > 0);
}

static void waits(void) {
    for (;;)
        pause();
}

int main(void) {
    CHECK(pipe(fds) == 0);
    signal(SIGHUP, handler);
    signal(SIGCONT, handler);
    for (int own_group = 0; own_group < 2; own_group++) {
        int ready[2];
        CHECK(pipe(ready) == 0);
        pid_t middle = fork();
        if (middle == 0) {
            setsid();
            pid_t stopped = fork();
            if (stopped == 0)
                waits();
            if (own_group)
                CHECK(setpgid(stopped, stopped) == 0);
            int status;
            CHECK(kill(stopped, SIGSTOP) == 0);
            CHECK(waitpid(stopped, &status, WUNTRACED) == stopped);
            CHECK(write(ready[1], &stopped, sizeof stopped) == sizeof stopped);
            _exit(0);
        }
        pid_t stopped;
        CHECK(read(ready[0], &stopped, sizeof stopped) == sizeof stopped);
        wait_and_show("middle", middle);
        usleep(30000);
        CHECK(write(fds[1], ".", 1) == 1);
        char data[64] = "";
        CHECK(read(fds[0], data, sizeof data - 1) > 0);
        /* the order in which the two arrive is not said */
        printf("%s: HUP %d CONT %d\n", own_group ? "own group" : "leader's group",
               strstr(data, "HUP") != NULL, strstr(data, "CONT") != NULL);
        CHECK(kill(stopped, SIGKILL) == 0);
    }
    return 0;
}
