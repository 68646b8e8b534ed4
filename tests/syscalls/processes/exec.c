/* execve(2): arguments and environment arrive; handlers go, ignored signals stay; errors. */
#include "guest.h"

extern char **environ;

static void second_life(int argc, char **argv) {
    printf("argc %d\n", argc);
    for (int i = 1; i < argc; i++)
        printf("argv[%d] = [%s]\n", i, argv[i]);
    for (char **variable = environ; *variable; variable++)
        printf("env [%s]\n", *variable);
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    printf("USR1 %s\n", action.sa_handler == SIG_DFL ? "default" : "other");
    sigaction(SIGUSR2, NULL, &action);
    printf("USR2 %s\n", action.sa_handler == SIG_IGN ? "ignored" : "other");
    sigset_t mask;
    sigprocmask(0, NULL, &mask);
    printf("HUP %s\n", sigismember(&mask, SIGHUP) ? "blocked" : "open");
    SHOW(fcntl(10, F_GETFD));
    SHOW(fcntl(11, F_GETFD));
    exit(17);
}

static void handler(int number) {
    (void)number;
}

int main(int argc, char **argv) {
    if (argc > 1)
        second_life(argc, argv);
    char *arguments[] = {"name", "one", "", "three words here", NULL};
    char *variables[] = {"A=1", "EMPTY=", NULL};
    put_file("not-executable", "x");
    put_file("garbage", "this is not a program");
    CHECK(chmod("garbage", 0755) == 0);
    put_file("empty", "");
    CHECK(chmod("empty", 0755) == 0);
    SHOW(execve("missing", arguments, variables));
    SHOW(execve("not-executable", arguments, variables));
    SHOW(execve("garbage", arguments, variables));
    SHOW(execve("empty", arguments, variables));
    SHOW(execve(".", arguments, variables));
    SHOW(execve("garbage/x", arguments, variables));
    SHOW(execve((char *)8, arguments, variables));
    SHOW(execve("/proc/self/exe", (char **)8, variables));
    signal(SIGUSR1, handler);
    signal(SIGUSR2, SIG_IGN);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    CHECK(dup2(1, 10) == 10);
    CHECK(dup3(1, 11, O_CLOEXEC) == 11);
    pid_t child = fork();
    if (child == 0) {
        execve("/proc/self/exe", arguments, variables);
        _exit(1);
    }
    wait_and_show("child", child);
    return 0;
}
