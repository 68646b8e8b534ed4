/* Two thousand signals from a child and a timer: counts and state survive. */
// guest: timeout = 60
#include "guest.h"

static volatile sig_atomic_t usr, alarms;

static void handler(int number) {
    if (number == SIGALRM)
        alarms++;
    else
        usr++;
}

int main(void) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGRTMIN, &action, NULL) == 0);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval timer = {{0, 5000}, {0, 5000}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 2000; i++)
            while (sigqueue(parent, SIGRTMIN, (union sigval){0}) != 0)
                usleep(100);
        _exit(0);
    }
    double sum = 0;
    long rounds = 0;
    while (usr < 2000) {
        double term = 1.0;
        for (int i = 1; i < 100; i++)
            term = term * 1.000001 + i * 0.5 - i * 0.5;
        sum += term > 1.00009 && term < 1.0001;
        rounds++;
        getppid();
    }
    struct itimerval off = {0};
    CHECK(setitimer(ITIMER_REAL, &off, NULL) == 0);
    SHOW(usr);
    SHOW(sum == rounds);
    wait_and_show("child", child);
    return 0;
}
