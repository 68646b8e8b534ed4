/* What signal(7) says of calls that a stop interrupts: deadlines stay what they were. */
// guest: timeout = 60
#include "guest.h"
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static struct timespec duration = {0, 400000000};
static uint32_t word;

static long sleeps(void) { return nanosleep(&duration, NULL); }
static long clock_sleeps(void) { return clock_nanosleep(CLOCK_MONOTONIC, 0, &duration, NULL); }
static long polls(void) { return poll(NULL, 0, 400); }
static long ppolls(void) {
    struct timespec copy = duration;
    return syscall(SYS_ppoll, NULL, 0, &copy, NULL, 8);
}
static long selects(void) {
    struct timeval time = {0, 400000};
    return select(0, NULL, NULL, NULL, &time);
}
static long waits(void) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &duration, NULL, 0); }
static long epolls(void) {
    int fd = epoll_create1(0);
    struct epoll_event event;
    return epoll_wait(fd, &event, 1, 400);
}
static long signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return sigtimedwait(&set, NULL, &duration);
}
static long receives(void) {
    int pair[2];
    char byte;
    struct timeval limit = {0, 400000};
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return recv(pair[0], &byte, 1, 0);
}
static long semaphores(void) {
    int set = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf take = {0, -1, 0};
    long result = semtimedop(set, &take, 1, &duration);
    int saved = errno;
    semctl(set, 0, IPC_RMID);
    errno = saved;
    return result;
}

/* Stopped after 100 ms, continued 600 ms later: what had a deadline is over soon. */
static void try(const char *name, long (*call)(void)) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        long started = now();
        long result = call();
        int number = result < 0 ? errno : 0;
        long took = now() - started;
        printf("%s: %ld %s, %s\n", name, result, errno_name(number),
               took < 390 ? "too early" : took < 950 ? "in time" : "late");
        _exit(0);
    }
    usleep(100000);
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    usleep(600000);
    CHECK(kill(child, SIGCONT) == 0);
    CHECK(waitpid(child, &status, 0) == child);
}

int main(void) {
    try("nanosleep", sleeps);
    try("clock_nanosleep", clock_sleeps);
    try("poll", polls);
    try("ppoll", ppolls);
    try("select", selects);
    try("futex", waits);
    try("epoll_wait", epolls);
    try("sigtimedwait", signals);
    try("recv", receives);
    try("semtimedop", semaphores);
    SHOW(syscall(SYS_restart_syscall));
    return 0;
}
