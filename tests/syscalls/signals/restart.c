/* A handler in a blocking call: EINTR without SA_RESTART; with it, read and wait go on. */
#include "guest.h"
#include <poll.h>
#include <sys/select.h>

static int handled;

static void handler(int number) {
    (void)number;
    handled++;
}

static void alarm_soon(void) {
    struct itimerval timer = {.it_value = {.tv_usec = 20000}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void install(int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    handled = 0;
    alarm_soon();
}

int main(void) {
    int fds[2];
    char byte;
    CHECK(pipe(fds) == 0);
    install(0);
    SHOW(read(fds[0], &byte, 1));
    SHOW(handled);
    pid_t child = fork();
    if (child == 0) {
        usleep(80000);
        CHECK(write(fds[1], "x", 1) == 1);
        usleep(80000);
        _exit(3);
    }
    install(SA_RESTART);
    SHOW(read(fds[0], &byte, 1));
    SHOW(handled);
    install(SA_RESTART);
    int status;
    SHOW(waitpid(child, &status, 0) == child);
    SHOW(handled);
    install(SA_RESTART); /* these are never restarted */
    struct pollfd poller = {.fd = fds[0], .events = POLLIN};
    SHOW(poll(&poller, 1, -1));
    install(SA_RESTART);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    SHOW(select(fds[0] + 1, &set, NULL, NULL, NULL));
    install(SA_RESTART);
    SHOW(pause());
    install(SA_RESTART);
    struct timespec left = {0, 0}, request = {5, 0};
    SHOW(nanosleep(&request, &left));
    SHOW(left.tv_sec >= 4);
    install(SA_RESTART);
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &request, &left) == EINTR);
    signal(SIGALRM, SIG_IGN); /* an ignored signal interrupts nothing */
    alarm_soon();
    request = (struct timespec){0, 60000000};
    SHOW(nanosleep(&request, NULL));
    return 0;
}
