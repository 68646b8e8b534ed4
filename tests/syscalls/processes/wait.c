/* wait4(2), waitid(2): exit codes, signals, WNOHANG, WNOWAIT, children that do not exist. */
#include "guest.h"
#include <sys/resource.h>

static pid_t child_exits(int status) {
    pid_t child = fork();
    if (child == 0)
        _exit(status);
    return child;
}

int main(void) {
    int status = 0;
    SHOW(wait(&status));
    SHOW(waitpid(-1, &status, WNOHANG));
    wait_and_show("plain", child_exits(0));
    wait_and_show("seven", child_exits(7));
    wait_and_show("wraps", child_exits(256 + 3));
    wait_and_show("negative", child_exits(-1));
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    SHOW(waitpid(child, &status, WNOHANG));
    SHOW(kill(child, SIGKILL));
    wait_and_show("killed", child);
    SHOW(waitpid(child, &status, 0));
    SHOW(kill(child, 0));
    child = fork();
    if (child == 0)
        abort();
    CHECK(waitpid(child, &status, 0) == child);
    printf("abort: %s\n", sigabbrev_np(WTERMSIG(status)));
    child = child_exits(5);
    siginfo_t info;
    memset(&info, 0, sizeof info);
    SHOW(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
    printf("%s code %d status %d mine %d\n", sigabbrev_np(info.si_signo), info.si_code,
           info.si_status, info.si_pid == child);
    SHOW(kill(child, 0)); /* a zombie still has its id */
    SHOW(waitid(P_ALL, 0, &info, WEXITED));
    SHOW(waitid(P_ALL, 0, &info, WEXITED));
    SHOW(waitid(P_PID, getpid(), &info, 0));
    SHOW(waitpid(-1, &status, 0x40000000 >> 3));
    struct rusage usage;
    child = child_exits(1);
    SHOW(wait4(child, &status, 0, &usage) == child);
    SHOW(usage.ru_utime.tv_sec);
    SHOW(waitpid(1 << 22, &status, 0));
    SHOW(waitpid(0, &status, 0));
    return 0;
}
