/* What guest programs share: print results so that two kernels can be compared.
 *
 * Print nothing that may differ between two runs: no process ids, addresses, inode
 * numbers or times. SHOW prints an expression with its value or the name of its
 * errno; CHECK ends the program when something that must hold does not.
 */
#ifndef GUEST_H
#define GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* The name of an errno, "0" for success. */
static UNUSED const char *errno_name(int number) {
    const char *name = number ? strerrorname_np(number) : "0";
    return name ? name : "E?";
}

static UNUSED long show_result(const char *what, long value) {
    if (value == -1)
        printf("%s = -1 %s\n", what, errno_name(errno));
    else
        printf("%s = %ld\n", what, value);
    return value;
}

/* Print the expression and its result, with errno when it is -1; its value is the result. */
#define SHOW(expression) (errno = 0, show_result(#expression, (long)(expression)))

/* Print only whether the call worked: for results that differ from run to run. */
#define SHOW_OK(expression)                                                                       \
    do {                                                                                          \
        errno = 0;                                                                                \
        long result_ = (long)(expression);                                                        \
        printf("%s: %s\n", #expression, result_ == -1 ? errno_name(errno) : "ok");                \
    } while (0)

#define CHECK(condition)                                                                          \
    do {                                                                                          \
        errno = 0;                                                                                \
        if (!(condition)) {                                                                       \
            printf("line %d: failed: %s (%s)\n", __LINE__, #condition, errno_name(errno));        \
            fflush(stdout);                                                                       \
            _exit(99);                                                                            \
        }                                                                                         \
    } while (0)

/* How a child ended, as waitpid(2) says it. */
static UNUSED void show_status(const char *who, int status) {
    if (WIFEXITED(status))
        printf("%s: exited %d\n", who, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        printf("%s: signal %s%s\n", who, sigabbrev_np(WTERMSIG(status)),
               WCOREDUMP(status) ? " (core)" : "");
    else if (WIFSTOPPED(status))
        printf("%s: stopped by %s\n", who, sigabbrev_np(WSTOPSIG(status)));
    else if (WIFCONTINUED(status))
        printf("%s: continued\n", who);
}

/* Wait for one child and print how it ended. */
static UNUSED void wait_and_show(const char *who, pid_t child) {
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    show_status(who, status);
}

/* Write a file with this text, or end. */
static UNUSED void put_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(fd) == 0);
}

/* Print a file's text with its newlines marked. */
static UNUSED void show_file(const char *path) {
    char text[4096];
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        printf("%s: %s\n", path, errno_name(errno));
        return;
    }
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    printf("%s: [%.*s]\n", path, (int)(count < 0 ? 0 : count), text);
}

/* Give up root, if we have it, so that permissions are checked. */
static UNUSED void become_nobody(void) {
    if (geteuid() == 0) {
        CHECK(setresgid(65534, 65534, 65534) == 0);
        CHECK(setresuid(65534, 65534, 65534) == 0);
    }
}

/* The names of the child's core dumps and the parent's buffers must not mix: line by line. */
__attribute__((constructor)) static void guest_start(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
}

#endif
