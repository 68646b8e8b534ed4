/* rt_sigaction(2): which flags are kept and told, masks without SIGKILL, actions of threads and
 * children, pending signals that become ignored. */
// guest: cflags = -pthread
#include "guest.h"

struct action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};

static long set(int number, const struct action *new, struct action *old) {
    return syscall(SYS_rt_sigaction, number, new, old, 8);
}

static volatile int seen;

static void handler(int number) {
    (void)number;
    seen++;
}

static void show_pending(const char *what) {
    sigset_t pending;
    CHECK(sigpending(&pending) == 0);
    printf("%s: USR1 %d, CHLD %d, CONT %d, TSTP %d\n", what, sigismember(&pending, SIGUSR1),
           sigismember(&pending, SIGCHLD), sigismember(&pending, SIGCONT),
           sigismember(&pending, SIGTSTP));
}

static void *changes(void *unused) {
    signal(SIGUSR2, SIG_IGN);
    return unused;
}

int main(void) {
    struct action action = {handler, 0, NULL, ~0UL}, old;
    for (int bit = 0; bit < 34; bit++) {
        action.flags = 1UL << bit;
        CHECK(set(SIGUSR1, &action, NULL) == 0);
        CHECK(set(SIGUSR1, NULL, &old) == 0);
        printf("flag %lx: %lx, mask %lx\n", action.flags, old.flags, old.mask);
    }
    /* Setting an action to be ignored forgets what is pending. */
    sigset_t all;
    sigfillset(&all);
    CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    CHECK(signal(SIGUSR1, handler) != SIG_ERR && signal(SIGCHLD, handler) != SIG_ERR);
    kill(getpid(), SIGUSR1);
    raise(SIGUSR1);
    kill(getpid(), SIGCHLD);
    kill(getpid(), SIGTSTP);
    show_pending("pending");
    signal(SIGUSR1, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    show_pending("ignored");
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGCHLD);
    show_pending("sent while blocked and ignored");
    kill(getpid(), SIGCONT);
    show_pending("continued");
    kill(getpid(), SIGTSTP);
    show_pending("to be stopped");
    signal(SIGTSTP, SIG_IGN);
    signal(SIGUSR1, handler);
    signal(SIGCONT, SIG_IGN);
    CHECK(sigprocmask(SIG_UNBLOCK, &all, NULL) == 0);
    SHOW(seen);
    /* The table is shared by threads and copied by fork. */
    pthread_t thread;
    struct sigaction now;
    CHECK(pthread_create(&thread, NULL, changes, NULL) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(sigaction(SIGUSR2, NULL, &now) == 0);
    SHOW(now.sa_handler == SIG_IGN);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGUSR2, SIG_DFL);
        _exit(0);
    }
    wait_and_show("child", child);
    CHECK(sigaction(SIGUSR2, NULL, &now) == 0);
    SHOW(now.sa_handler == SIG_IGN);
    /* Pending signals are not inherited; blocked ones and actions are. */
    CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    kill(getpid(), SIGUSR1);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        show_pending("child");
        _exit(0);
    }
    siginfo_t info;
    CHECK(waitid(P_PID, child, &info, WEXITED) == 0);
    show_pending("parent");
    return 0;
}
