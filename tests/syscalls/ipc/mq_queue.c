// guest: user = root
// guest: cflags = -lrt
/* POSIX message queues: attributes, priorities, limits, errors, names that go. */
#include "guest.h"
#include <mqueue.h>
#include <sched.h>
#include <sys/resource.h>

static const char *const name = "/guest-mq-queue";

static void show_attributes(mqd_t queue) {
    struct mq_attr attributes;
    CHECK(mq_getattr(queue, &attributes) == 0);
    printf("flags %lo maxmsg %ld msgsize %ld curmsgs %ld\n", attributes.mq_flags,
           attributes.mq_maxmsg, attributes.mq_msgsize, attributes.mq_curmsgs);
}

static void take(mqd_t queue, size_t size) {
    char text[8192] = "";
    unsigned priority = 77;
    SHOW(mq_receive(queue, text, size, &priority));
    printf("priority %u text %.20s\n", priority, text);
}

static void order(void) {
    struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 16};
    mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0640, &attributes);
    CHECK(queue >= 0);
    printf("cloexec %d\n", fcntl(queue, F_GETFD));
    printf("flags %o\n", fcntl(queue, F_GETFL));
    show_attributes(queue);
    SHOW(mq_send(queue, "low", 4, 1));
    SHOW(mq_send(queue, "high", 5, 32767));
    SHOW(mq_send(queue, "low again", 10, 1));
    SHOW(mq_send(queue, "", 0, 2));
    SHOW(mq_send(queue, "full", 5, 2));
    SHOW(mq_send(queue, "prio", 5, 32768));
    SHOW(mq_send(queue, "seventeen bytes!", 17, 2));
    show_attributes(queue);
    char line[200] = "";
    SHOW(lseek(queue, 0, SEEK_SET));
    SHOW(read(queue, line, sizeof line));
    printf("%s", line);
    SHOW(read(queue, line, sizeof line));
    SHOW(pread(queue, line, 9, 6));
    printf("%.9s|\n", line);
    SHOW(lseek(queue, -3, SEEK_END));
    SHOW(write(queue, "x", 1));
    take(queue, 15);
    for (int count = 0; count < 5; count++)
        take(queue, 16);
    struct mq_attr blocking = {.mq_flags = 0, .mq_maxmsg = 100}, before;
    SHOW(mq_setattr(queue, &blocking, &before));
    printf("before %lo %ld\n", before.mq_flags, before.mq_maxmsg);
    show_attributes(queue);
    blocking.mq_flags = O_APPEND;
    SHOW(mq_setattr(queue, &blocking, NULL));
    SHOW(mq_send(queue, "lost", 5, 0));
    SHOW(syscall(SYS_mq_timedreceive, queue, (char *)1, 16, NULL, NULL));
    show_attributes(queue);
    SHOW(mq_close(queue));
}

static void errors(void) {
    char text[8192];
    SHOW(mq_open("no-slash", O_RDONLY));
    SHOW(mq_open("/", O_RDONLY));
    SHOW(mq_open("/a/b", O_RDONLY));
    SHOW(mq_open("/.", O_RDONLY));
    SHOW(mq_open("/..", O_CREAT | O_RDONLY, 0600, NULL));
    SHOW(mq_open("/guest-mq-absent", O_RDONLY));
    SHOW(mq_unlink("/guest-mq-absent"));
    SHOW(mq_unlink("/a/b"));
    char much[300] = "/";
    memset(much + 1, 'x', 256);
    SHOW(mq_open(much, O_CREAT | O_RDWR, 0600, NULL));
    SHOW(mq_unlink(much));
    SHOW(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL));
    SHOW(mq_open(name, O_ACCMODE));
    int file = open("/dev/null", O_RDWR);
    SHOW(mq_send(file, "x", 1, 0));
    SHOW(mq_receive(file, text, sizeof text, NULL));
    SHOW(mq_send(-1, "x", 1, 0));
    SHOW(mq_notify(file, NULL));
    SHOW(mq_setattr(file, NULL, NULL));
    mqd_t reader = mq_open(name, O_RDONLY), writer = mq_open(name, O_WRONLY);
    SHOW(mq_send(reader, "x", 1, 0));
    SHOW(mq_receive(writer, text, sizeof text, NULL));
    SHOW(syscall(SYS_mq_timedsend, writer, (char *)1, 4, 0, NULL));
    SHOW(syscall(SYS_mq_open, (char *)1, O_RDONLY, 0, NULL));
    SHOW(syscall(SYS_mq_open, "x", O_RDONLY, 0, (void *)1));
    SHOW(syscall(SYS_mq_open, "", O_RDONLY, 0, NULL));
    struct timespec bad = {.tv_sec = 0, .tv_nsec = 1000000000};
    SHOW(mq_timedreceive(reader, text, sizeof text, NULL, &bad));
    bad = (struct timespec){.tv_sec = -1};
    SHOW(mq_timedsend(writer, text, 1, 0, &bad));
    struct timespec past = {.tv_sec = 1};
    SHOW(mq_timedreceive(reader, text, sizeof text, NULL, &past));
    mq_close(reader);
    mq_close(writer);
}

static void removal(void) {
    mqd_t queue = mq_open(name, O_RDWR);
    struct stat status;
    CHECK(fstat(queue, &status) == 0);
    printf("mode %o links %ld size %ld\n", status.st_mode, (long)status.st_nlink,
           (long)status.st_size);
    SHOW(mq_unlink(name));
    CHECK(fstat(queue, &status) == 0);
    printf("links %ld\n", (long)status.st_nlink);
    SHOW(mq_send(queue, "still", 6, 3));
    take(queue, 16);
    SHOW(mq_open(name, O_RDWR));
    mq_close(queue);
}

/* What can be made under a limit of `limit` bytes. */
static void try_limit(rlim_t limit, long count, long size) {
    struct rlimit limits = {.rlim_cur = limit, .rlim_max = 819200};
    CHECK(setrlimit(RLIMIT_MSGQUEUE, &limits) == 0);
    struct mq_attr attributes = {.mq_maxmsg = count, .mq_msgsize = size};
    mqd_t queue = mq_open(name, O_CREAT | O_RDWR, 0600, &attributes);
    printf("limit %ld: %ld of %ld: %s\n", (long)limit, count, size,
           queue < 0 ? errno_name(errno) : "ok");
    if (queue >= 0) {
        mqd_t second = mq_open("/guest-mq-second", O_CREAT | O_RDWR, 0600, &attributes);
        printf("second: %s\n", second < 0 ? errno_name(errno) : "ok");
        mq_unlink(name);
        mq_close(queue);
        mq_close(second);
    }
    mq_unlink("/guest-mq-second");
}

static void limits(void) {
    for (long more = -1; more <= 1; more++)
        try_limit((rlim_t)(8 * (100 + 96) + more), 8, 100);
    try_limit(819200, 10, 8192);
    try_limit(819200, 0, 100);
    try_limit(819200, 10, 0);
    try_limit(819200, -1, 100);
    try_limit(819200, 65537, 1);
    try_limit(819200, 1, (1 << 24) + 1);
    try_limit(0, 1, 1);
}

static void nobody(void) {
    become_nobody();
    struct rlimit limits = {.rlim_cur = 400000, .rlim_max = 400000};
    CHECK(setrlimit(RLIMIT_MSGQUEUE, &limits) == 0);
    SHOW(mq_open("/guest-mq-mine", O_RDWR));
    SHOW(mq_unlink("/guest-mq-mine"));
    struct mq_attr attributes = {.mq_maxmsg = 11, .mq_msgsize = 16};
    SHOW(mq_open("/guest-mq-other", O_CREAT | O_RDWR, 0600, &attributes));
    attributes = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 8193};
    SHOW(mq_open("/guest-mq-other", O_CREAT | O_RDWR, 0600, &attributes));
    attributes.mq_msgsize = 8192;
    umask(027);
    mqd_t queue = mq_open("/guest-mq-other", O_CREAT | O_RDWR, 0666, &attributes);
    CHECK(queue >= 0);
    struct stat status;
    CHECK(fstat(queue, &status) == 0);
    printf("mode %o\n", status.st_mode);
    SHOW(mq_unlink("/guest-mq-other"));
    fflush(stdout);
    _exit(0);
}

int main(void) {
    CHECK(unshare(CLONE_NEWIPC) == 0);
    umask(022);
    order();
    errors();
    removal();
    mqd_t mine = mq_open("/guest-mq-mine", O_CREAT | O_RDWR, 0600, NULL);
    show_attributes(mine);
    pid_t child = fork();
    if (child == 0)
        nobody();
    wait_and_show("nobody", child);
    SHOW(mq_unlink("/guest-mq-mine"));
    mq_close(mine);
    limits();
    return 0;
}
