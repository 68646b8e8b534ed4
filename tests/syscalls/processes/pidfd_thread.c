/* PIDFD_THREAD: a descriptor of one thread. */
// guest: cflags = -pthread
#include "guest.h"
#include <poll.h>
#include <semaphore.h>
#include <linux/sched.h>

#define PIDFD_THREAD O_EXCL
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pid_t number;
static sem_t ready, go_on;
static volatile int handled_by;

static void handler(int signal) {
    (void)signal;
    handled_by = gettid();
    sem_post(&ready);
}

static void *thread(void *unused) {
    number = gettid();
    sem_post(&ready);
    while (sem_wait(&go_on) < 0)
        ;
    return unused;
}

static int readable(int fd, int timeout) {
    struct pollfd asked = {fd, POLLIN, 0};
    CHECK(poll(&asked, 1, timeout) >= 0);
    return asked.revents;
}

int main(void) {
    pthread_t other;
    CHECK(sem_init(&ready, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(pthread_create(&other, NULL, thread, NULL) == 0);
    sem_wait(&ready);
    SHOW(syscall(SYS_pidfd_open, number, 0));
    SHOW(syscall(SYS_pidfd_open, number, 1));
    SHOW(syscall(SYS_pidfd_open, 0, 0));
    SHOW(syscall(SYS_pidfd_open, -1, 0));
    SHOW(syscall(SYS_pidfd_open, 99999999, PIDFD_THREAD));
    int fd = syscall(SYS_pidfd_open, number, PIDFD_THREAD | O_NONBLOCK);
    SHOW(fd >= 0);
    SHOW(fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK | PIDFD_THREAD));
    int own = syscall(SYS_pidfd_open, getpid(), PIDFD_THREAD);
    SHOW(own >= 0);
    SHOW(readable(fd, 0));
    SHOW(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0));
    while (sem_wait(&ready) < 0)
        ;
    SHOW(handled_by == number);
    SHOW(syscall(SYS_pidfd_getfd, fd, 1, 0) >= 0);
    siginfo_t info;
    SHOW(waitid(P_PIDFD, fd, &info, WEXITED));
    sem_post(&go_on);
    CHECK(pthread_join(other, NULL) == 0);
    SHOW(readable(fd, 10000));
    SHOW(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    SHOW(readable(own, 0));
    SHOW(syscall(SYS_pidfd_send_signal, own, 0, NULL, 0));

    /* Of a leader that ends before its threads. */
    pid_t child = fork();
    if (child == 0) {
        CHECK(pthread_create(&other, NULL, thread, NULL) == 0);
        syscall(SYS_exit, 3);
    }
    int process = syscall(SYS_pidfd_open, child, 0);
    int leader = syscall(SYS_pidfd_open, child, PIDFD_THREAD);
    SHOW(readable(leader, 0));
    SHOW(readable(process, 0));
    SHOW(kill(child, SIGKILL));
    SHOW(readable(process, 10000) != 0);
    wait_and_show("child", child);
    SHOW(syscall(SYS_pidfd_send_signal, leader, 0, NULL, 0));
    SHOW(readable(leader, 0));

    /* clone3 gives one of a thread, too. */
    int of_clone = -1;
    struct clone_args arguments = {.flags = CLONE_PIDFD, .exit_signal = SIGCHLD,
                                   .pidfd = (uintptr_t)&of_clone};
    child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0)
        _exit(0);
    SHOW(fcntl(of_clone, F_GETFL));
    SHOW(readable(of_clone, 10000));
    wait_and_show("clone", child);
    return 0;
}
