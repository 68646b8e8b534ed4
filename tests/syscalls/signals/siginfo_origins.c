/* The siginfo of every sender, through sigtimedwait, signalfd and handlers. */
// guest: cflags = -pthread -lrt
#include "guest.h"
#include <mqueue.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static sigset_t all;

static void show_wait(const char *what) {
    siginfo_t info;
    struct timespec limit = {20, 0};
    memset(&info, 0x55, sizeof info);
    int number = sigtimedwait(&all, &info, &limit);
    if (number < 0) {
        printf("%s: %s\n", what, errno_name(errno));
        return;
    }
    printf("%s: %s, code %d, errno %d", what, sigabbrev_np(number) ? sigabbrev_np(number) : "RT",
           info.si_code, info.si_errno);
    if (info.si_code == SI_USER || info.si_code == SI_TKILL || info.si_code == SI_QUEUE ||
        info.si_code == SI_MESGQ)
        printf(", own pid %d, uid %d", info.si_pid == getpid(), info.si_uid == getuid());
    if (info.si_code == SI_QUEUE || info.si_code == SI_MESGQ || info.si_code == SI_TIMER)
        printf(", value %d", info.si_value.sival_int);
    if (info.si_code == SI_TIMER)
        printf(", overrun %d", info.si_overrun);
    if (number == SIGCHLD)
        printf(", status %d, uid %d", info.si_status, info.si_uid == getuid());
    if (number == SIGPOLL)
        printf(", band %ld, fd %d", info.si_band, info.si_fd);
    printf("\n");
}

static void children(void) {
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    show_wait("exit");
    CHECK(waitpid(child, &status, 0) == child);
    child = fork();
    if (child == 0) {
        sigprocmask(SIG_UNBLOCK, &all, NULL);
        for (;;)
            pause();
    }
    CHECK(kill(child, SIGSTOP) == 0);
    show_wait("stop");
    CHECK(kill(child, SIGCONT) == 0);
    show_wait("continue");
    CHECK(kill(child, SIGTERM) == 0);
    show_wait("killed");
    CHECK(waitpid(child, &status, 0) == child);
}

static void senders(void) {
    union sigval value = {42};
    CHECK(kill(getpid(), SIGUSR1) == 0);
    show_wait("kill");
    CHECK(raise(SIGUSR1) == 0);
    show_wait("raise");
    CHECK(syscall(SYS_tkill, gettid(), SIGUSR1) == 0);
    show_wait("tkill");
    CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
    show_wait("sigqueue");
    siginfo_t made = {.si_signo = SIGRTMIN, .si_code = -60, .si_errno = 3};
    CHECK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &made) == 0);
    show_wait("made up");
    made.si_code = 4;
    CHECK(syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGRTMIN, &made) == 0);
    show_wait("made up for itself");
    int fd = syscall(SYS_pidfd_open, getpid(), 0);
    CHECK(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, NULL, 0) == 0);
    show_wait("pidfd");
    close(fd);
}

static void timers(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    event.sigev_value.sival_int = 99;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    struct itimerspec soon = {{0, 0}, {0, 1000000}};
    CHECK(timer_settime(timer, 0, &soon, NULL) == 0);
    show_wait("timer");
    CHECK(timer_delete(timer) == 0);
    struct itimerval early = {{0, 0}, {0, 1000}};
    CHECK(setitimer(ITIMER_REAL, &early, NULL) == 0);
    show_wait("itimer");
    CHECK(setitimer(ITIMER_VIRTUAL, &early, NULL) == 0);
    while (sigpending(&(sigset_t){0}) == 0 && getitimer(ITIMER_VIRTUAL, &early) == 0 &&
           early.it_value.tv_usec)
        ;
    show_wait("virtual timer");
}

static void files(void) {
    int ends[2];
    char byte = 0;
    CHECK(pipe(ends) == 0);
    CHECK(fcntl(ends[0], F_SETOWN, getpid()) == 0);
    CHECK(fcntl(ends[0], F_SETFL, O_ASYNC) == 0);
    CHECK(write(ends[1], &byte, 1) == 1);
    show_wait("O_ASYNC");
    CHECK(fcntl(ends[0], F_SETSIG, SIGPOLL) == 0 && read(ends[0], &byte, 1) == 1);
    CHECK(write(ends[1], &byte, 1) == 1);
    show_wait("O_ASYNC with F_SETSIG");
    close(ends[0]);
    SHOW(write(ends[1], &byte, 1));
    show_wait("broken pipe");
    struct mq_attr form = {.mq_maxmsg = 1, .mq_msgsize = 8};
    mqd_t queue = mq_open("/origins", O_RDWR | O_CREAT, 0600, &form);
    CHECK(queue >= 0);
    mq_unlink("/origins");
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 5;
    CHECK(mq_notify(queue, &event) == 0 && mq_send(queue, "x", 1, 0) == 0);
    show_wait("message queue");
}

/* PR_SET_PDEATHSIG, when the thread that made the child ends. */
static int to_parent[2];
static void *makes_child(void *unused) {
    if (fork() == 0) {
        CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR2) == 0);
        pid_t parent = getppid();
        CHECK(write(to_parent[1], "r", 1) == 1);
        siginfo_t info;
        CHECK(sigwaitinfo(&all, &info) == SIGUSR2);
        printf("parent's thread ended: code %d, of the parent %d, still its child %d\n",
               info.si_code, info.si_pid == parent, getppid() == parent);
        _exit(0);
    }
    char byte;
    CHECK(read(to_parent[0], &byte, 1) == 1);
    return unused;
}

static void by_descriptor(void) {
    int fd = signalfd(-1, &all, 0);
    struct signalfd_siginfo info;
    union sigval value = {17};
    CHECK(sigqueue(getpid(), SIGRTMIN + 1, value) == 0 && kill(getpid(), SIGUSR1) == 0);
    for (int i = 0; i < 2; i++) {
        CHECK(read(fd, &info, sizeof info) == sizeof info);
        printf("signalfd: %d, code %d, own %d, int %d, ptr %d, overrun %u, status %d\n",
               info.ssi_signo, info.ssi_code, info.ssi_pid == (unsigned)getpid(), info.ssi_int,
               (int)info.ssi_ptr, info.ssi_overrun, info.ssi_status);
    }
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    CHECK(read(fd, &info, sizeof info) == sizeof info);
    printf("signalfd: %d, code %d, status %d, child %d, uid %d\n", info.ssi_signo, info.ssi_code,
           info.ssi_status, info.ssi_pid == (unsigned)child, info.ssi_uid == getuid());
    wait_and_show("child", child);
}

int main(void) {
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
    senders();
    children();
    timers();
    files();
    by_descriptor();
    CHECK(pipe(to_parent) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, makes_child, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    int status;
    CHECK(wait(&status) > 0);
    show_status("orphan of a thread", status);
    return 0;
}
