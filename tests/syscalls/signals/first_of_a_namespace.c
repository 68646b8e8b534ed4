/* pid_namespaces(7): the first process of a namespace gets from inside only what it handles. */
// guest: user = root
#include "guest.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static volatile sig_atomic_t got;

static void handler(int number) { got = number; }

static int first(void *unused) {
    sigset_t set;
    pid_t child;
    int status;

    (void)unused;
    printf("pid %d\n", getpid());
    SHOW(kill(1, SIGKILL));
    SHOW(kill(1, SIGSTOP));
    SHOW(kill(1, SIGTERM));
    SHOW(raise(SIGTERM));
    SHOW(raise(SIGTSTP));
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SHOW(raise(SIGUSR2));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    printf("survived\n");
    signal(SIGUSR1, handler);
    child = fork();
    if (child == 0) {
        kill(1, SIGKILL);
        kill(1, SIGUSR1);
        kill(getpid(), SIGTERM);
        _exit(9);
    }
    waitpid(child, &status, 0);
    SHOW(WTERMSIG(status) == SIGTERM);
    SHOW(got == SIGUSR1);
    return 5;
}

static int fault(void *unused) {
    (void)unused;
    *(volatile int *)8 = 1;
    return 0;
}

static int sleeper(void *unused) {
    (void)unused;
    while (pause() == -1)
        ;
    return 0;
}

static pid_t start(int (*function)(void *)) {
    char *stack = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    return clone(function, stack + (1 << 16), CLONE_NEWPID | SIGCHLD, NULL);
}

int main(void) {
    pid_t child;
    int status;

    setvbuf(stdout, NULL, _IONBF, 0);
    waitpid(start(first), &status, 0);
    SHOW(WEXITSTATUS(status));
    waitpid(start(fault), &status, 0);
    SHOW(WTERMSIG(status) == SIGSEGV);

    /* From outside, SIGSTOP and SIGKILL work, and nothing else. */
    child = start(sleeper);
    SHOW(kill(child, SIGTERM));
    SHOW(kill(child, SIGSTOP));
    waitpid(child, &status, WUNTRACED);
    SHOW(WIFSTOPPED(status));
    SHOW(kill(child, SIGCONT));
    SHOW(kill(child, SIGKILL));
    waitpid(child, &status, 0);
    SHOW(WTERMSIG(status) == SIGKILL);
    return 0;
}
