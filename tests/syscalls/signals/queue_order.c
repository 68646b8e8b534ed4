/* In which order pending signals are delivered: thread's before process's, low before high,
 * real-time ones each, in turn; a standard one once, with the first one's siginfo. */
#include "guest.h"

static char text[400];

static void handler(int number, siginfo_t *info, void *context) {
    (void)context;
    char word[30];
    snprintf(word, sizeof word, " %d:%d", number >= SIGRTMIN ? number - SIGRTMIN + 100 : number,
             info->si_code == SI_QUEUE ? info->si_value.sival_int : -1);
    strcat(text, word);
}

static void queue(int number, int value) {
    union sigval data = {value};
    CHECK(sigqueue(getpid(), number, data) == 0);
}

static void queue_thread(int number, int value) {
    siginfo_t info = {.si_signo = number, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_value.sival_int = value;
    CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, &info) == 0);
}

int main(void) {
    static const int numbers[] = {1, 2, 3, 10, 11, 12, 14, 15, 34, 35, 40, 64};
    sigset_t set, old;
    sigemptyset(&set);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
        sigfillset(&action.sa_mask);
        sigaddset(&set, numbers[i]);
        CHECK(sigaction(numbers[i], &action, NULL) == 0);
    }
    struct sigaction fault = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaddset(&set, SIGSEGV);
    sigaddset(&set, SIGTRAP);
    sigaddset(&set, SIGSYS);
    CHECK(sigaction(SIGSEGV, &fault, NULL) == 0 && sigaction(SIGTRAP, &fault, NULL) == 0 &&
          sigaction(SIGSYS, &fault, NULL) == 0);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
    queue(40, 1);
    queue(15, 2);
    queue(15, 3);
    queue(34, 4);
    queue(40, 5);
    queue(34, 6);
    queue(1, 7);
    queue_thread(12, 8);
    queue_thread(64, 9);
    queue_thread(12, 10);
    queue(64, 11);
    queue(SIGSEGV, 12);
    queue(SIGSYS, 13);
    queue_thread(35, 14);
    kill(getpid(), 35);
    kill(getpid(), 35);
    sigset_t pending;
    CHECK(sigpending(&pending) == 0);
    for (int number = 1; number <= 64; number++)
        if (sigismember(&pending, number))
            printf("%d ", number);
    printf("\n");
    /* sigtimedwait takes in the same order. */
    sigset_t some;
    siginfo_t info;
    sigemptyset(&some);
    sigaddset(&some, 40);
    sigaddset(&some, 64);
    sigaddset(&some, 34);
    SHOW(sigwaitinfo(&some, &info));
    SHOW(info.si_value.sival_int);
    SHOW(sigwaitinfo(&some, &info));
    SHOW(info.si_value.sival_int);
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    puts(text);
    return 0;
}
