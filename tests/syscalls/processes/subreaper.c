/* PR_SET_CHILD_SUBREAPER: a grandchild whose parent died becomes ours; PR_SET_PDEATHSIG. */
#include "guest.h"
#include <sys/prctl.h>

int main(void) {
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t middle = fork();
    if (middle == 0) {
        pid_t parent = getpid();
        if (fork() == 0) {
            while (getppid() == parent)
                usleep(1000);
            _exit(8);
        }
        _exit(1);
    }
    wait_and_show("middle", middle);
    int status;
    CHECK(wait(&status) > 0);
    show_status("adopted", status);
    middle = fork();
    if (middle == 0) {
        if (fork() == 0) {
            CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0);
            CHECK(write(fds[1], "x", 1) == 1);
            for (;;)
                pause();
        }
        char byte;
        CHECK(read(fds[0], &byte, 1) == 1);
        _exit(2);
    }
    wait_and_show("middle", middle);
    CHECK(wait(&status) > 0);
    show_status("orphan", status);
    return 0;
}
