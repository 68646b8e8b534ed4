// guest: user = root
// guest: cflags = -lrt -pthread
/* mq_notify(3): signals, threads, who is registered, and what ends a registration. */
#include "guest.h"
#include <linux/netlink.h>
#include <mqueue.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/socket.h>

static mqd_t queue;
static sem_t told;

static void show_line(const char *when) {
    char line[200] = "";
    CHECK(pread(queue, line, sizeof line, 0) > 0);
    char *process = strstr(line, "NOTIFY_PID:");
    CHECK(process);
    int pid = atoi(process + 11);
    *process = 0;
    printf("%s: %s pid %s\n", when, line, pid == getpid() ? "mine" : pid ? "other" : "none");
}

static void drain(void) {
    char text[16];
    unsigned priority;
    struct timespec past = {0};
    while (mq_timedreceive(queue, text, sizeof text, &priority, &past) >= 0)
        ;
}

static void show_signal(sigset_t *set) {
    siginfo_t information;
    struct timespec none = {0};
    int number = sigtimedwait(set, &information, &none);
    if (number < 0) {
        printf("no signal: %s\n", errno_name(errno));
        return;
    }
    printf("signal %d code %d value %d mine %d uid %d\n", number - SIGRTMIN, information.si_code,
           information.si_value.sival_int, information.si_pid == getpid(), information.si_uid);
}

static void signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGRTMIN + 1,
                             .sigev_value.sival_int = 4711};
    SHOW(mq_notify(queue, &event));
    SHOW(mq_notify(queue, &event));
    show_line("registered");
    SHOW(mq_send(queue, "x", 1, 0));
    show_signal(&set);
    show_line("told");
    SHOW(mq_notify(queue, &event));
    SHOW(mq_send(queue, "y", 1, 0));
    show_signal(&set);
    drain();
    SHOW(mq_send(queue, "z", 1, 0));
    show_signal(&set);
    drain();
    SHOW(mq_notify(queue, &event));
    SHOW(mq_notify(queue, NULL));
    SHOW(mq_notify(queue, NULL));
    SHOW(mq_send(queue, "z", 1, 0));
    show_signal(&set);
    drain();

    SHOW(mq_notify(queue, &event));
    pid_t child = fork();
    if (child == 0) {
        SHOW(mq_notify(queue, NULL));
        SHOW(mq_notify(queue, &event));
        show_line("in the child");
        SHOW(mq_send(queue, "c", 1, 0));
        fflush(stdout);
        _exit(0);
    }
    wait_and_show("child", child);
    siginfo_t information;
    CHECK(sigwaitinfo(&set, &information) == SIGRTMIN + 1);
    printf("from the child %d\n", information.si_pid == child);
    drain();

    SHOW(mq_notify(queue, &event));
    int copy = dup(queue);
    show_line("before a copy is closed");
    close(copy);
    show_line("after");

    child = fork();
    if (child == 0) {
        CHECK(mq_notify(queue, &event) == 0);
        _exit(0);
    }
    wait_and_show("registered child", child);
    show_line("after its end");
}

static void others(void) {
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    SHOW(mq_notify(queue, &event));
    show_line("none");
    SHOW(mq_send(queue, "x", 1, 0));
    show_line("sent");
    drain();
    event.sigev_notify = 77;
    SHOW(mq_notify(queue, &event));
    event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    SHOW(mq_notify(queue, &event));
    event.sigev_signo = 0;
    SHOW(mq_notify(queue, &event));
    SHOW(mq_send(queue, "x", 1, 0));
    show_line("signal 0");
    drain();
}

static void run(union sigval value) {
    printf("thread: %d\n", value.sival_int);
    sem_post(&told);
}

static void threads(void) {
    CHECK(sem_init(&told, 0, 0) == 0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                             .sigev_notify_function = run,
                             .sigev_value.sival_int = 42};
    for (int count = 0; count < 2; count++) {
        SHOW(mq_notify(queue, &event));
        show_line("thread");
        CHECK(mq_send(queue, "x", 1, 0) == 0);
        CHECK(sem_wait(&told) == 0);
        drain();
    }
    SHOW(mq_notify(queue, &event));
    SHOW(mq_notify(queue, NULL));
    show_line("taken back");
}

/* What the C library does for SIGEV_THREAD. */
static void cookies(void) {
    char cookie[32] = "cookie", received[64];
    int sink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    CHECK(sink >= 0);
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD, .sigev_signo = sink, .sigev_value.sival_ptr = cookie};
    SHOW(syscall(SYS_mq_notify, queue, &event));
    SHOW(syscall(SYS_mq_notify, queue, NULL));
    SHOW(recv(sink, received, sizeof received, 0));
    printf("%s %d\n", received, received[31]);
    SHOW(syscall(SYS_mq_notify, queue, &event));
    SHOW(mq_send(queue, "x", 1, 0));
    SHOW(recv(sink, received, sizeof received, 0));
    printf("%s %d\n", received, received[31]);
    event.sigev_value.sival_ptr = (void *)1;
    SHOW(syscall(SYS_mq_notify, queue, &event));
    event.sigev_value.sival_ptr = cookie;
    event.sigev_signo = -1;
    SHOW(syscall(SYS_mq_notify, queue, &event));
    event.sigev_signo = queue;
    SHOW(syscall(SYS_mq_notify, queue, &event));
    event.sigev_signo = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(syscall(SYS_mq_notify, queue, &event));
    SHOW(syscall(SYS_mq_notify, queue, (void *)1));
}

int main(void) {
    CHECK(unshare(CLONE_NEWIPC) == 0);
    struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 16};
    queue = mq_open("/guest-mq-notify", O_CREAT | O_RDWR, 0600, &attributes);
    CHECK(queue >= 0);
    signals();
    others();
    threads();
    cookies();
    SHOW(mq_unlink("/guest-mq-notify"));
    return 0;
}
