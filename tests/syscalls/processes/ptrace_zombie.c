/* A process traced by another than its parent: its end is the tracer's to see first, then the
 * parent's; also when the tracer ends. */
#include "guest.h"
#include <sys/ptrace.h>
#include <sys/socket.h>

static char ask(int fd, char word) {
    CHECK(write(fd, &word, 1) == 1 && read(fd, &word, 1) == 1);
    return word;
}

static void parent(int fd) {
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    CHECK(write(fd, &child, sizeof child) == sizeof child);
    char word;
    while (read(fd, &word, 1) == 1) {
        pid_t found = waitpid(child, &status, word == 'w' ? 0 : WNOHANG);
        CHECK(sigpending(&pending) == 0);
        word = (found == child ? 4 : found == 0 ? 2 : 0) | sigismember(&pending, SIGCHLD);
        CHECK(write(fd, &word, 1) == 1);
    }
    show_status("for the parent", status);
    _exit(0);
}

/* What the tracer does: 0 waits, 1 ends without. */
static void try(int way) {
    int pair[2], status;
    pid_t child;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t between = fork();
    if (between == 0) {
        close(pair[0]);
        parent(pair[1]);
    }
    close(pair[1]);
    CHECK(read(pair[0], &child, sizeof child) == sizeof child);
    pid_t tracer = way ? fork() : 0;
    if (tracer == 0) {
        siginfo_t info;
        SHOW(ptrace(PTRACE_SEIZE, child, 0, 0));
        CHECK(kill(child, SIGKILL) == 0);
        memset(&info, 0, sizeof info);
        SHOW(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
        printf("code %d, status %d\n", info.si_code, info.si_status);
        SHOW(ask(pair[0], 'n'));
        if (way)
            _exit(0);
        SHOW(waitpid(child, &status, 0) == child);
        show_status("for the tracer", status);
        SHOW(waitpid(child, &status, 0));
    } else {
        wait_and_show("tracer", tracer);
    }
    SHOW(ask(pair[0], 'w'));
    close(pair[0]);
    wait_and_show("between", between);
}

int main(void) {
    try(0);
    try(1);
    return 0;
}
