/* A seized tracee: PTRACE_INTERRUPT, stops by job control, PTRACE_LISTEN, SIGCONT; attaching to
 * what is stopped already. */
#include "guest.h"
#include <poll.h>
#include <sys/ptrace.h>

static void show_wait(pid_t child, int options) {
    int status;
    pid_t found = waitpid(child, &status, options);
    if (found == 0) {
        printf("nothing\n");
        return;
    }
    CHECK(found == child);
    siginfo_t info = {0};
    if (!WIFSTOPPED(status)) {
        show_status("child", status);
        return;
    }
    int known = ptrace(PTRACE_GETSIGINFO, child, 0, &info);
    printf("status %x, siginfo %s, signal %d, code %x\n", status >> 8,
           known == 0 ? "known" : errno_name(errno), info.si_signo, info.si_code);
}

static pid_t sleeper(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        for (;;)
            pause();
    return child;
}

static void seized(void) {
    pid_t child = sleeper();
    SHOW(ptrace(PTRACE_SEIZE, child, 1, 0));
    SHOW(ptrace(PTRACE_SEIZE, child, 0, 1 << 30));
    SHOW(ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD));
    SHOW(ptrace(PTRACE_SEIZE, child, 0, 0));
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    SHOW(ptrace(PTRACE_LISTEN, child, 0, 0));
    show_wait(child, WNOHANG);
    SHOW(ptrace(PTRACE_INTERRUPT, child, 0, 0));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    /* Stopped by a signal: delivered first, then the trap of the group's stop. */
    SHOW(kill(child, SIGTSTP));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, SIGSTOP));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_LISTEN, child, 0, 0));
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    show_wait(child, WNOHANG);
    SHOW(ptrace(PTRACE_INTERRUPT, child, 0, 0));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_LISTEN, child, 0, 0));
    SHOW(kill(child, SIGCONT));
    show_wait(child, 0); /* not stopped any more */
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    show_wait(child, 0); /* SIGCONT itself */
    SHOW(ptrace(PTRACE_LISTEN, child, 0, 0));
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    /* Continued while it waits to be listened to. */
    SHOW(kill(child, SIGSTOP));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, SIGSTOP));
    show_wait(child, 0);
    SHOW(kill(child, SIGCONT));
    SHOW(ptrace(PTRACE_LISTEN, child, 0, 0));
    show_wait(child, 0);
    SHOW(kill(child, SIGKILL));
    show_wait(child, 0);
}

/* What the tracer lets run although job control stopped it is stopped again when it is let go. */
static void detached(void) {
    pid_t child = sleeper();
    int status;
    SHOW(ptrace(PTRACE_SEIZE, child, 0, 0));
    SHOW(kill(child, SIGSTOP));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, SIGSTOP));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    SHOW(ptrace(PTRACE_INTERRUPT, child, 0, 0));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_DETACH, child, 0, 0));
    SHOW(kill(child, SIGCONT));
    CHECK(waitpid(child, &status, WCONTINUED) == child);
    show_status("child", status);
    CHECK(kill(child, SIGKILL) == 0);
    wait_and_show("child", child);
}

static void attached_when_stopped(void) {
    pid_t child = sleeper();
    int status;
    SHOW(kill(child, SIGSTOP));
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    SHOW(ptrace(PTRACE_ATTACH, child, 0, 0));
    errno = 0;
    SHOW(ptrace(PTRACE_PEEKUSER, child, 0, 0) != -1 || errno == 0);
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_INTERRUPT, child, 0, 0));
    SHOW(ptrace(PTRACE_CONT, child, 0, SIGKILL));
    show_wait(child, 0);
}

/* An ignored signal is seen all the same. */
static void ignored(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        signal(SIGUSR1, SIG_IGN);
        raise(SIGUSR1);
        raise(SIGWINCH);
        _exit(3);
    }
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, SIGUSR1));
    show_wait(child, 0);
    SHOW(ptrace(PTRACE_CONT, child, 0, SIGWINCH));
    show_wait(child, 0);
}

int main(void) {
    seized();
    detached();
    attached_when_stopped();
    ignored();
    return 0;
}
