/* A traced thread that is not the leader executes: it takes over the leader's number, the others'
 * ends are reported before. */
// guest: cflags = -pthread
// guest: timeout = 30
#include "guest.h"
#include <sys/ptrace.h>

static void *executes(void *unused) {
    execl("/proc/self/exe", "self", "again", NULL);
    return unused;
}

int main(int arguments, char **values) {
    if (arguments > 1)
        return values[1][0] == 'a' ? 17 : 18;
    int status;
    pid_t child = fork(), thread = 0;
    if (child == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        raise(SIGSTOP);
        pthread_t other;
        pthread_create(&other, NULL, executes, NULL);
        for (;;)
            pause();
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(ptrace(PTRACE_SETOPTIONS, child, 0,
                 PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) == 0);
    CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
    CHECK(waitpid(child, &status, __WALL) == child);
    SHOW(status >> 8 == (SIGTRAP | PTRACE_EVENT_CLONE << 8));
    unsigned long message;
    CHECK(ptrace(PTRACE_GETEVENTMSG, child, 0, &message) == 0);
    thread = message;
    CHECK(waitpid(thread, &status, __WALL) == thread);
    SHOW(status >> 8 == SIGSTOP);
    CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
    CHECK(ptrace(PTRACE_CONT, thread, 0, 0) == 0);
    pid_t stopped = waitpid(-1, &status, __WALL);
    printf("%s: %x\n", stopped == child ? "leader" : stopped == thread ? "thread" : "another",
           status);
    CHECK(ptrace(PTRACE_GETEVENTMSG, child, 0, &message) == 0);
    SHOW(message == (unsigned long)thread);
    SHOW(ptrace(PTRACE_CONT, thread, 0, 0));
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    CHECK(waitpid(-1, &status, __WALL) == child);
    show_status("child", status);
    SHOW(waitpid(-1, &status, __WALL));
    return 0;
}
