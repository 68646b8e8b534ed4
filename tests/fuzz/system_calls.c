/* A driver of rounds of random system calls. A line "SEED CALLS TASKS PRIVILEGES" is a round:
 *
 * TASKS threads and processes (bit n of SEED tells which the nth is) make CALLS calls each, as
 * root (0), as nobody (1), or as the root of a user namespace (2). A round has namespaces and a
 * file system of its own, so that whatever it does ends with it; one that neither finishes nor dies
 * is ended. Then true(1) runs, and one line tells how that went.
 * The calls of a task follow from the seed and the task's place.
 */
#include "random_call.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <linux/capability.h>

enum { MOST_TASKS = 4, PATIENCE = 1, NAMESPACES = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC };
enum privileges { ROOT, NOBODY, NAMESPACE_ROOT };

struct round {
    uint64_t seed;
    unsigned calls, tasks;
    enum privileges privileges;
};

static void nothing(int number) { (void)number; }

/* What blocks is interrupted, unless a call of the round prevents it. */
static void interrupt_soon(void) {
    struct sigaction action = {.sa_handler = nothing};
    struct itimerval timer = {{0, 20000}, {0, 20000}};
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number <= SIGRTMAX; number++)
        if (number != SIGSEGV && number != SIGBUS && number != SIGILL && number != SIGCHLD)
            sigaction(number, &action, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void open_descriptors(void) {
    int pair[2];
    for (int i = 0; i < 3; i++)
        open("/dev/null", O_RDWR);
    pipe(pair);
    pipe2(pair, O_NONBLOCK);
    eventfd(1, 0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
    socket(AF_UNIX, SOCK_DGRAM, 0);
    listen(socket(AF_INET, SOCK_STREAM, 0), 3);
    socket(AF_INET6, SOCK_STREAM, 0);
    socket(AF_INET, SOCK_DGRAM, 0);
    socket(AF_NETLINK, SOCK_RAW, 0);
    epoll_create1(0);
    timerfd_create(CLOCK_MONOTONIC, 0);
    sigset_t set;
    sigfillset(&set);
    signalfd(-1, &set, SFD_NONBLOCK);
    inotify_init1(IN_NONBLOCK);
    ftruncate(memfd_create("memory", MFD_ALLOW_SEALING), 10000);
    write(open("file", O_RDWR | O_CREAT, 0644), "some text\n", 10);
    mkdir("directory", 0755);
    symlink("directory", "link");
    mkfifo("fifo", 0644);
    open("directory", O_RDONLY | O_DIRECTORY);
    open("file", O_PATH);
    open("fifo", O_RDWR | O_NONBLOCK);
    open("/dev/ptmx", O_RDWR | O_NOCTTY);
    open("/dev/zero", O_RDWR);
    open("/proc/self/status", O_RDONLY);
    syscall(SYS_pidfd_open, getpid(), 0);
}

/* Nothing may raise the limits: they keep a round from filling the machine's memory. */
static void limit(void) {
    struct rlimit memory = {1 << 28, 1 << 28}, file = {1 << 20, 1 << 20}, none = {0, 0};
    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_FSIZE, &file);
    setrlimit(RLIMIT_CORE, &none);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE);
    syscall(SYS_capget, &header, data);
    data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
    data[0].permitted &= ~(1u << CAP_SYS_RESOURCE);
    data[0].inheritable = 0;
    syscall(SYS_capset, &header, data);
}

static void take_privileges(enum privileges privileges) {
    if (privileges == NOBODY && (setgid(65534) || setuid(65534)))
        _exit(9);
    if (privileges == NAMESPACE_ROOT && unshare(CLONE_NEWUSER))
        _exit(9);
}

static void play_task(const struct round *round, unsigned place) {
    state = round->seed * MOST_TASKS + place;
    for (unsigned i = 0; i < round->calls; i++) {
        if (i % 10 == 0)
            interrupt_soon();
        fill();
        random_call();
    }
}

struct part {
    const struct round *round;
    unsigned place;
};

static void *play_thread(void *argument) {
    const struct part *part = argument;
    play_task(part->round, part->place);
    return NULL;
}

static void play_round(const struct round *round) {
    if (mount("tmpfs", "/tmp", "tmpfs", 0, "size=64m") || chdir("/tmp"))
        _exit(8);
    for (int descriptor = 0; descriptor < 3; descriptor++)
        close(descriptor);
    setsid(); /* kill(0) reaches processes of the group outside of the namespace as well */
    limit();
    take_privileges(round->privileges);
    open_descriptors();
    struct part parts[MOST_TASKS];
    pthread_t threads[MOST_TASKS];
    for (unsigned place = 1; place < round->tasks; place++) {
        parts[place] = (struct part){round, place};
        if (round->seed >> place & 1) {
            pthread_create(&threads[place], NULL, play_thread, &parts[place]);
        } else if (fork() == 0) {
            play_task(round, place);
            _exit(0);
        }
    }
    play_task(round, 0);
    for (unsigned place = 1; place < round->tasks; place++)
        if (round->seed >> place & 1)
            pthread_join(threads[place], NULL);
    _exit(0);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

/* Wait until the round has ended; end it when it takes too long, or stops and has us as tracer. */
static const char *finish_round(pid_t round) {
    double end = now() + PATIENCE;
    struct timespec moment = {0, 200000000};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    int status = 0;
    while (now() < end && !WIFSTOPPED(status)) {
        if (waitpid(round, &status, WNOHANG | __WALL) != round)
            sigtimedwait(&set, NULL, &moment);
        else if (!WIFSTOPPED(status))
            return "finished";
    }
    kill(round, SIGKILL);
    do {
        if (waitpid(round, &status, __WALL) != round)
            return "lost";
    } while (WIFSTOPPED(status));
    return "ended";
}

static int run_true(void) {
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/true", "true", NULL);
        _exit(127);
    }
    return waitpid(child, &status, 0) == child ? status : -1;
}

int main(void) {
    struct round round;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    make_memory();
    setvbuf(stdin, NULL, _IONBF, 0);
    while (scanf("%lu %u %u %u", &round.seed, &round.calls, &round.tasks, &round.privileges) == 4) {
        pid_t child = syscall(SYS_clone, NAMESPACES | SIGCHLD, 0, 0, 0, 0);
        if (child == 0)
            play_round(&round);
        const char *how = child < 0 ? "not started" : finish_round(child);
        while (waitpid(-1, NULL, __WALL | WNOHANG) > 0) /* what CLONE_PARENT made ours */
            ;
        printf("%s, true: %d\n", how, run_true());
        fflush(stdout);
    }
    return 0;
}
