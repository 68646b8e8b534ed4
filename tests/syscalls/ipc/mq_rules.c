/* mq_overview(7): attributes, priorities, limits of an ordinary user, permissions, notification. */
// guest: cflags = -lrt
// guest: user = root
// guest: timeout = 30
#include "guest.h"

#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define NAME "/rules"

static mqd_t make(const char *name, long maximum, long size) {
    struct mq_attr attributes = {.mq_maxmsg = maximum, .mq_msgsize = size};
    return mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, &attributes);
}

static void show(mqd_t queue) {
    struct mq_attr attributes;
    CHECK(mq_getattr(queue, &attributes) == 0);
    printf("flags %lo max %ld size %ld now %ld\n", attributes.mq_flags, attributes.mq_maxmsg,
           attributes.mq_msgsize, attributes.mq_curmsgs);
}

static void try_making(const char *who) {
    static const long sizes[][2] = {{0, 10},    {10, 0},      {-1, 10},    {10, 8192},
                                    {11, 10},   {10, 8193},   {65536, 1},  {65537, 1},
                                    {1, 1 << 24}, {1, (1 << 24) + 1}};
    for (unsigned number = 0; number < sizeof sizes / sizeof *sizes; number++) {
        errno = 0;
        mqd_t queue = make(NAME, sizes[number][0], sizes[number][1]);
        printf("%s: %ld of %ld: %s\n", who, sizes[number][0], sizes[number][1],
               queue < 0 ? errno_name(errno) : "made");
        if (queue >= 0) {
            mq_close(queue);
            mq_unlink(NAME);
        }
    }
}

static void order(void) {
    mqd_t queue = make(NAME, 5, 20);
    CHECK(queue >= 0);
    show(queue);
    SHOW(mq_send(queue, "low", 4, 1));
    SHOW(mq_send(queue, "high", 5, 32767));
    SHOW(mq_send(queue, "too high", 9, 32768));
    SHOW(mq_send(queue, "low again", 10, 1));
    SHOW(mq_send(queue, "nothing", 0, 0));
    SHOW(mq_send(queue, "a text that is too long", 24, 0));
    show(queue);
    SHOW(mq_send(queue, "last", 5, 2));
    SHOW(mq_send(queue, "full", 5, 2));
    struct pollfd poller = {.fd = queue, .events = POLLIN | POLLOUT};
    SHOW(poll(&poller, 1, 0));
    printf("events %x\n", poller.revents);
    char text[20];
    unsigned priority;
    SHOW(mq_receive(queue, text, 19, &priority));
    for (int count = 0; count < 6; count++) {
        ssize_t size = mq_receive(queue, text, sizeof text, &priority);
        if (size < 0)
            printf("%s\n", errno_name(errno));
        else
            printf("%zd \"%.*s\" priority %u\n", size, (int)size, text, priority);
    }
    struct mq_attr attributes = {.mq_flags = 0}, old;
    SHOW(mq_setattr(queue, &attributes, &old));
    printf("old flags %lo\n", old.mq_flags);
    attributes.mq_flags = O_APPEND;
    SHOW(mq_setattr(queue, &attributes, NULL));
    struct timespec past = {1, 0}, bad = {1, -1};
    SHOW(mq_timedreceive(queue, text, sizeof text, NULL, &past));
    SHOW(mq_timedreceive(queue, text, sizeof text, NULL, &bad));
    SHOW(mq_send(queue, "x", 1, 0));
    SHOW(mq_timedreceive(queue, text, sizeof text, NULL, &bad));
    SHOW(mq_unlink(NAME));
    SHOW(mq_unlink(NAME));
    SHOW(mq_send(queue, "still", 5, 0));
    SHOW(mq_open(NAME, O_RDWR));
    mq_close(queue);
}

static void names(void) {
    char long_name[300];
    memset(long_name, 'n', sizeof long_name);
    long_name[0] = '/';
    long_name[256] = 0;
    SHOW(make("none", 1, 1));
    SHOW(make("/", 1, 1));
    SHOW(make("/a/b", 1, 1));
    SHOW(make("/.", 1, 1));
    SHOW(make(long_name, 1, 1) < 0 ? -1 : 0);
    long_name[257] = 0;
    long_name[256] = 'n';
    SHOW(make(long_name, 1, 1) < 0 ? -1 : 0);
    CHECK(make(NAME, 1, 1) >= 0);
    SHOW(make(NAME, 1, 1));
    SHOW(mq_open(NAME, O_CREAT | O_RDWR, 0600, NULL) >= 0 ? 0 : -1);
    mqd_t reader = mq_open(NAME, O_RDONLY);
    CHECK(reader >= 0);
    SHOW(mq_send(reader, "", 0, 0));
    mqd_t writer = mq_open(NAME, O_WRONLY);
    char letter;
    SHOW(mq_receive(writer, &letter, 1, NULL));
    SHOW(mq_getattr(0, &(struct mq_attr){0}));
    CHECK(mq_unlink(NAME) == 0);
}

static void of_nobody(void) {
    CHECK(make("/others", 1, 1) >= 0);
    pid_t child = fork();
    if (child == 0) {
        become_nobody();
        try_making("nobody");
        SHOW(mq_open("/others", O_RDONLY));
        SHOW(mq_unlink("/others"));
        struct rlimit limit = {3000, 3000};
        CHECK(setrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
        SHOW_OK(make("/first", 10, 100));
        SHOW_OK(make("/second", 10, 100));
        SHOW_OK(make("/third", 1, 10));
        SHOW(mq_unlink("/first"));
        SHOW_OK(make("/second", 10, 100));
        _exit(0);
    }
    wait_and_show("nobody", child);
}

static void notification(void) {
    mqd_t queue = make(NAME, 5, 20);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 31;
    sigset_t set;
    siginfo_t info;
    struct timespec none = {0, 0};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SHOW(mq_notify(queue, &event));
    SHOW(mq_notify(queue, &event));
    pid_t child = fork();
    if (child == 0) {
        SHOW(mq_notify(queue, &event));
        SHOW(mq_notify(queue, NULL));
        SHOW(mq_send(queue, "text", 4, 0));
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    SHOW(sigtimedwait(&set, &info, &none));
    printf("code %d value %d by child %d uid %d\n", info.si_code, info.si_value.sival_int,
           info.si_pid == child, info.si_uid);
    SHOW(mq_notify(queue, &event));
    SHOW(mq_send(queue, "second", 6, 0));
    SHOW(sigtimedwait(&set, &info, &none)); /* it was not empty */
    SHOW(mq_notify(queue, NULL));
    event.sigev_signo = 65;
    SHOW(mq_notify(queue, &event));
    event.sigev_notify = 99;
    SHOW(mq_notify(queue, &event));
    event.sigev_notify = SIGEV_NONE;
    SHOW(mq_notify(queue, &event));
    event.sigev_notify = SIGEV_SIGNAL;
    SHOW(mq_notify(0, NULL));
    CHECK(mq_unlink(NAME) == 0);
}

static void file_system(void) {
    CHECK(mkdir("queues", 0700) == 0 && mount("q", "queues", "mqueue", 0, NULL) == 0);
    mqd_t queue = make("/shown", 3, 30);
    CHECK(queue >= 0 && mq_send(queue, "12345", 5, 0) == 0);
    show_file("queues/shown");
    struct stat status;
    CHECK(stat("queues/shown", &status) == 0);
    printf("%o %ld\n", status.st_mode, (long)status.st_size);
    SHOW(rename("queues/shown", "queues/other"));
    SHOW(link("queues/shown", "queues/other"));
    SHOW(unlink("queues/shown"));
    CHECK(unshare(CLONE_NEWIPC) == 0);
    SHOW(mq_open("/others", O_RDONLY));
    SHOW(access("queues/others", F_OK));
    CHECK(umount("queues") == 0);
}

int main(void) {
    CHECK(unshare(CLONE_NEWIPC | CLONE_NEWNS) == 0);
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    order();
    names();
    of_nobody();
    notification();
    file_system();
    return 0;
}
