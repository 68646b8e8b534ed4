/* execve(2) from a thread that is not the leader: who it is afterwards, and what it keeps. */
// guest: cflags = -pthread
#include "guest.h"
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>

static pid_t leader;
static int program, leader_ends;

static void wait_for_zombie(void) {
    char path[64], text[64] = "", state = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", leader);
    while (state != 'Z') {
        FILE *file = fopen(path, "r");
        CHECK(file && fgets(text, sizeof text, file));
        fclose(file);
        state = strrchr(text, ')')[2];
    }
}

static void *executes(void *self) {
    sigset_t set;
    if (leader_ends)
        wait_for_zombie();
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGALRM);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1) == 0); /* to this thread */
    CHECK(kill(getpid(), SIGUSR2) == 0);                          /* to the process */
    CHECK(prctl(PR_SET_NAME, "executor") == 0);
    CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0);
    static char alternate[65536];
    stack_t stack = {alternate, 0, sizeof alternate};
    CHECK(sigaltstack(&stack, NULL) == 0);
    struct itimerval far = {{0, 0}, {1000, 0}};
    CHECK(setitimer(ITIMER_REAL, &far, NULL) == 0);
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
    alarm(0);
    CHECK(setitimer(ITIMER_VIRTUAL, &far, NULL) == 0);
    char number[20];
    snprintf(number, sizeof number, "%d", leader);
    char *arguments[] = {self, number, NULL}, *variables[] = {NULL};
    syscall(SYS_execveat, program, "", arguments, variables, AT_EMPTY_PATH);
    _exit(1);
}

static void *sleeps(void *unused) {
    for (;;)
        pause();
    return unused;
}

static void second_life(int expected) {
    SHOW(getpid() == expected);
    SHOW(gettid() == expected);
    sigset_t pending, mask;
    CHECK(sigpending(&pending) == 0 && sigprocmask(0, NULL, &mask) == 0);
    SHOW(sigismember(&pending, SIGUSR1));
    SHOW(sigismember(&pending, SIGUSR2));
    SHOW(sigismember(&mask, SIGUSR1));
    SHOW(sigismember(&mask, SIGHUP));
    int signal_number = -1;
    CHECK(prctl(PR_GET_PDEATHSIG, &signal_number) == 0);
    SHOW(signal_number);
    stack_t stack;
    CHECK(sigaltstack(NULL, &stack) == 0);
    SHOW(stack.ss_flags);
    struct itimerval left;
    CHECK(getitimer(ITIMER_REAL, &left) == 0);
    SHOW(left.it_value.tv_sec > 0);
    CHECK(getitimer(ITIMER_VIRTUAL, &left) == 0);
    SHOW(left.it_value.tv_sec > 0);
    char name[16];
    CHECK(prctl(PR_GET_NAME, name) == 0);
    SHOW(strcmp(name, "executor"));
    SHOW(kill(expected, 0));
    SHOW(access("/proc/self/task", F_OK));
    FILE *status = fopen("/proc/self/status", "r");
    char line[200];
    while (fgets(line, sizeof line, status))
        if (strncmp(line, "Threads:", 8) == 0)
            fputs(line, stdout);
    SHOW(timer_delete((timer_t)0));
}

int main(int count, char **arguments) {
    if (count > 1) {
        second_life(atoi(arguments[1]));
        return 23;
    }
    program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    /* All threads block what is sent to the process, or the leader would take it. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        leader = getpid();
        pthread_t thread;
        for (int i = 0; i < 3; i++)
            CHECK(pthread_create(&thread, NULL, sleeps, NULL) == 0);
        CHECK(pthread_create(&thread, NULL, executes, arguments[0]) == 0);
        for (;;)
            pause();
    }
    wait_and_show("leader still alive", child);
    child = fork();
    if (child == 0) {
        leader = getpid();
        leader_ends = 1;
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, executes, arguments[0]) == 0);
        syscall(SYS_exit, 0);
    }
    wait_and_show("leader gone before", child);
    return 0;
}
