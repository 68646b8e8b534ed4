/* /proc/PID/io counts what was read and written, with ended threads and waited-for children. */
#include "guest.h"
#include <pthread.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>

struct counts {
    long rchar, wchar, syscr, syscw, length;
};

static int file, pipes[2];
static char data[64];

/* What was counted before this reading, and how long its text is. */
static struct counts look(void)
{
    struct counts now;
    char text[512];
    int fd = open("/proc/self/io", O_RDONLY);
    now.length = read(fd, text, sizeof text - 1);
    CHECK(now.length > 0);
    text[now.length] = 0;
    close(fd);
    CHECK(sscanf(text, "rchar: %ld\nwchar: %ld\nsyscr: %ld\nsyscw: %ld\n", &now.rchar, &now.wchar,
                 &now.syscr, &now.syscw) == 4);
    return now;
}

static void measure(const char *what, void (*action)(void))
{
    struct counts before = look();
    action();
    struct counts after = look();
    printf("%s: %ld and %ld bytes, %ld and %ld calls\n", what,
           after.rchar - before.rchar - before.length, after.wchar - before.wchar,
           after.syscr - before.syscr - 1, after.syscw - before.syscw);
}

static void nothing(void)
{
}

static void read_and_write(void)
{
    CHECK(write(file, data, 40) == 40);
    CHECK(pwrite(file, data, 10, 100) == 10);
    CHECK(pread(file, data, 64, 0) == 64);
    CHECK(read(file, data, 64) == 64);
    CHECK(read(file, data, 64) == 6);
    CHECK(read(file, data, 64) == 0);
}

static void vectors(void)
{
    struct iovec parts[2] = {{data, 5}, {data + 8, 6}};
    CHECK(writev(pipes[1], parts, 2) == 11);
    CHECK(readv(pipes[0], parts, 2) == 11);
    CHECK(pwritev(file, parts, 2, 0) == 11);
    CHECK(preadv2(file, parts, 2, 0, 0) == 11);
}

static void copies(void)
{
    off_t offset = 0;
    CHECK(sendfile(pipes[1], file, &offset, 20) == 20);
    CHECK(read(pipes[0], data, 64) == 20);
}

static void failures(void)
{
    CHECK(read(-1, data, 1) == -1);
    CHECK(write(99, data, 1) == -1);
    CHECK(pread(pipes[0], data, 1, 0) == -1);
    CHECK(write(pipes[0], data, 1) == -1);
    CHECK(fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(read(pipes[0], data, 1) == -1 && errno == EAGAIN);
}

static void *in_a_thread(void *unused)
{
    CHECK(pwrite(file, data, 7, 0) == 7);
    return unused;
}

static void thread(void)
{
    pthread_t other;
    CHECK(pthread_create(&other, NULL, in_a_thread, NULL) == 0);
    CHECK(pthread_join(other, NULL) == 0);
}

static void child(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        CHECK(pwrite(file, data, 9, 0) == 9);
        _exit(0);
    }
    CHECK(waitpid(pid, NULL, 0) == pid);
}

int main(void)
{
    file = open("file", O_RDWR | O_CREAT, 0600);
    CHECK(file >= 0 && pipe(pipes) == 0);
    measure("nothing", nothing);
    measure("read and write", read_and_write);
    measure("vectors", vectors);
    measure("copies", copies);
    measure("failures", failures);
    measure("a thread", thread);
    measure("a child", child);
    return 0;
}
