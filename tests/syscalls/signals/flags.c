/* SA_NODEFER, SA_RESETHAND, SA_SIGINFO: what each changes. */
#include "guest.h"

static int depth;

static void nests(int number) {
    printf("depth %d\n", ++depth);
    static int left = 4;
    if (depth < 3 && left-- > 0)
        raise(number);
    depth--;
}

static void once(int number) {
    struct sigaction action;
    sigaction(number, NULL, &action);
    printf("once; now %s\n", action.sa_handler == SIG_DFL ? "default" : "set");
}

static void detailed(int number, siginfo_t *info, void *context) {
    (void)context;
    printf("%s code %d pid %d uid %d value %d\n", sigabbrev_np(number), info->si_code,
           info->si_pid == getpid(), info->si_uid == getuid(),
           info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
}

int main(void) {
    struct sigaction action = {.sa_handler = nests, .sa_flags = SA_NODEFER};
    SHOW(sigaction(SIGUSR1, &action, NULL));
    SHOW(raise(SIGUSR1));
    action.sa_flags = 0;
    SHOW(sigaction(SIGUSR1, &action, NULL));
    SHOW(raise(SIGUSR1)); /* the second comes when the first is done, never deeper */
    signal(SIGUSR1, SIG_DFL);
    action.sa_handler = once;
    action.sa_flags = SA_RESETHAND;
    SHOW(sigaction(SIGUSR2, &action, NULL));
    SHOW(raise(SIGUSR2));
    struct sigaction info = {.sa_sigaction = detailed, .sa_flags = SA_SIGINFO};
    SHOW(sigaction(SIGUSR1, &info, NULL));
    SHOW(kill(getpid(), SIGUSR1));
    SHOW(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1));
    SHOW(syscall(SYS_tkill, gettid(), SIGUSR1));
    union sigval value = {.sival_int = 42};
    SHOW(sigqueue(getpid(), SIGUSR1, value));
    SHOW(syscall(SYS_tgkill, getpid(), 1 << 22, SIGUSR1));
    SHOW(syscall(SYS_tgkill, 0, gettid(), SIGUSR1));
    SHOW(sigqueue(1 << 22, SIGUSR1, value));
    SHOW(kill(1 << 22, SIGUSR1));
    return 0;
}
