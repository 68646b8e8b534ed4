/* SIGCHLD: SA_NOCLDSTOP, SA_NOCLDWAIT, ignored; wait(2) then; masks of ppoll and its like. */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile int seen;
static int codes[10];

static void handler(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    codes[seen++ % 10] = info->si_code;
}

static void family(const char *what, int flags, int ignored) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | flags};
    int status;
    seen = 0;
    if (ignored)
        signal(SIGCHLD, SIG_IGN);
    else
        CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    kill(child, SIGSTOP);
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    kill(child, SIGCONT);
    CHECK(waitpid(child, &status, WCONTINUED) == child);
    while (!ignored && !(flags & SA_NOCLDSTOP) && seen < 2)
        usleep(1000); /* or the two that follow become one */
    kill(child, SIGTERM);
    errno = 0;
    pid_t found = waitpid(child, &status, 0);
    printf("%s: found %d, %s, seen %d:", what, found == child, errno_name(errno), seen);
    for (int i = 0; i < seen; i++)
        printf(" %d", codes[i]);
    printf("\n");
    pid_t many[3];
    for (int i = 0; i < 3; i++)
        if ((many[i] = fork()) == 0)
            _exit(0);
    errno = 0;
    int reaped = 0;
    while (wait(&status) > 0)
        reaped++;
    printf("%s: reaped %d, %s\n", what, reaped, errno_name(errno));
}

static void plain(int number) {
    (void)number;
    seen++;
}

static void masks(void) {
    sigset_t blocked, open, now;
    sigemptyset(&open);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    signal(SIGUSR1, plain);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
    struct timespec none = {0, 0}, second = {1, 0};
    int watcher = epoll_create1(0);
    struct epoll_event event;
    for (int way = 0; way < 4; way++) {
        seen = 0;
        raise(SIGUSR1);
        if (way == 0)
            SHOW(ppoll(NULL, 0, &second, &open));
        else if (way == 1)
            SHOW(pselect(0, NULL, NULL, NULL, &second, &open));
        else if (way == 2)
            SHOW(epoll_pwait(watcher, &event, 1, 1000, &open));
        else
            SHOW(sigsuspend(&open));
        CHECK(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
        printf("seen %d, blocked again %d\n", seen, sigismember(&now, SIGUSR1));
    }
    /* What is ready at once is told; the signal stays pending. */
    int ends[2];
    CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    struct pollfd ready = {ends[0], POLLIN, 0};
    seen = 0;
    raise(SIGUSR1);
    SHOW(ppoll(&ready, 1, &none, &open));
    SHOW(seen);
    SHOW(sigpending(&now));
    SHOW(sigismember(&now, SIGUSR1));
    SHOW(syscall(SYS_ppoll, NULL, 0, &none, &open, 4));
    SHOW(syscall(SYS_rt_sigsuspend, &open, 16));
    SHOW(syscall(SYS_rt_sigprocmask, 9, &open, NULL, 8));
    SHOW(syscall(SYS_rt_sigprocmask, 9, NULL, NULL, 8));
    SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8));
    SHOW(syscall(SYS_rt_sigpending, &now, 9));
    SHOW(syscall(SYS_rt_sigpending, &now, 4));
    SHOW(syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, 0, NULL, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, SIGKILL, NULL, NULL, 8));
    struct sigaction action = {.sa_handler = SIG_IGN};
    SHOW(syscall(SYS_rt_sigaction, SIGKILL, &action, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, SIGSTOP, &action, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8, 8));
    SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4));
}

int main(void) {
    family("handler", 0, 0);
    family("SA_NOCLDSTOP", SA_NOCLDSTOP, 0);
    family("SA_NOCLDWAIT", SA_NOCLDWAIT, 0);
    family("ignored", 0, 1);
    signal(SIGCHLD, SIG_DFL);
    masks();
    return 0;
}
