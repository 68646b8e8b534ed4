/* Job control: SIGSTOP and SIGCONT as the parent sees them, SIGTSTP, SIGCHLD for each. */
#include "guest.h"

static volatile sig_atomic_t notices;
static volatile sig_atomic_t last_code;

/* The notice of a continued child comes when it runs, which may be after waitpid(2) knows. */
static void show_notices(int expected) {
    while (notices < expected)
        usleep(1000);
    printf("notices %d code %d\n", notices, last_code);
}

static void on_child(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    notices++;
    last_code = info->si_code;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    CHECK(setpgid(child, child) == 0); /* SIGTSTP does nothing in an orphaned group */
    int status;
    SHOW(kill(child, SIGSTOP));
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    show_status("child", status);
    show_notices(1);
    SHOW(waitpid(child, &status, WUNTRACED | WNOHANG));
    SHOW(kill(child, SIGCONT));
    CHECK(waitpid(child, &status, WCONTINUED) == child);
    show_status("child", status);
    show_notices(2);
    SHOW(kill(child, SIGTSTP));
    siginfo_t info;
    CHECK(waitid(P_PID, child, &info, WSTOPPED) == 0);
    printf("waitid: code %d status %s\n", info.si_code, sigabbrev_np(info.si_status));
    SHOW(kill(child, SIGTERM)); /* waits while stopped */
    SHOW(waitpid(child, &status, WNOHANG));
    SHOW(kill(child, SIGCONT));
    wait_and_show("child", child);
    child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(9);
    }
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    show_status("self", status);
    SHOW(kill(child, SIGKILL)); /* ends also what is stopped */
    wait_and_show("self", child);
    return 0;
}
