/* setpgid(2), setsid(2), getsid(2): who may move whom; kill(2) of a group. */
#include "guest.h"

int main(void) {
    SHOW(getpgrp() == getpid());
    SHOW(getsid(0) == getpid());
    SHOW(setsid());
    SHOW(setpgid(0, 0));
    SHOW(setpgid(0, 1 << 22));
    SHOW(setpgid(0, -1));
    SHOW(setpgid(1 << 22, 0));
    pid_t child = fork();
    if (child == 0) {
        SHOW(getpgrp() == getppid());
        SHOW(setpgid(0, 0));
        SHOW(getpgrp() == getpid());
        SHOW(setsid());
        pid_t grandchild = fork();
        if (grandchild == 0) {
            SHOW(setsid() == getpid());
            SHOW(getsid(0) == getpid() && getpgrp() == getpid());
            SHOW(getsid(getppid()) != getsid(0));
            SHOW(setpgid(getppid(), 0));
            _exit(0);
        }
        wait_and_show("grandchild", grandchild);
        _exit(0);
    }
    wait_and_show("child", child);
    pid_t members[3];
    for (int i = 0; i < 3; i++) {
        members[i] = fork();
        if (members[i] == 0)
            for (;;)
                pause();
        CHECK(setpgid(members[i], members[0]) == 0);
    }
    SHOW(getpgid(members[2]) == members[0]);
    SHOW(kill(-members[0], 0));
    SHOW(kill(-members[0], SIGTERM));
    for (int i = 0; i < 3; i++)
        wait_and_show("member", members[i]);
    SHOW(kill(-members[0], 0));
    int status;
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        _exit(3);
    }
    SHOW(waitpid(-child, &status, 0) == child || errno == ECHILD);
    SHOW(getpgid(1 << 22));
    SHOW(getsid(1 << 22));
    return 0;
}
