/* Walls that need C: the seccomp filter of a process, and its last words when it runs into it. */

#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filters.h"
#include "walls.h"

#define WORDS_SIZE 256
/* Of a process that SIGSYS ends, as a shell has it. */
#define KILLED_STATUS (128 + SIGSYS)

static struct {
    int descriptor;
    char before[WORDS_SIZE];
    char after[WORDS_SIZE];
} report;

int64_t walls_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    long result = syscall(number, a, b, c, d, e);

    return result < 0 ? -errno : result;
}

static void write_text(const char *text)
{
    size_t done = 0, size = strlen(text);

    while (done < size) {
        ssize_t written = write(report.descriptor, text + done, size - done);
        if (written <= 0)
            return;
        done += (size_t)written;
    }
}

static void write_number(unsigned number)
{
    char digits[12];
    char *place = digits + sizeof digits - 1;

    *place = 0;
    do
        *--place = (char)('0' + number % 10);
    while (number /= 10);
    write_text(place);
}

/* The filter let a call not be made.  With PYTHONFAULTHANDLER=1 Python tells where it was. */
static void refused(int signal, siginfo_t *information, void *context)
{
    unsigned number = (unsigned)information->si_syscall;
    struct sigaction on_abort;

    (void)signal;
    (void)context;
    write_text(report.before);
    write_number(number);
    if (number < (unsigned)walls_call_count && walls_call_names[number]) {
        write_text(" (");
        write_text(walls_call_names[number]);
        write_text(")");
    }
    write_text(report.after);
    if (sigaction(SIGABRT, NULL, &on_abort) == 0 && on_abort.sa_handler != SIG_DFL &&
        on_abort.sa_handler != SIG_IGN)
        kill(getpid(), SIGABRT);
    _exit(KILLED_STATUS);
}

int walls_install_filter(int which, int descriptor, const char *before, const char *after)
{
    const struct walls_filter *filter = &walls_filters[which];
    struct sock_fprog program = {
        (unsigned short)((size_t)filter->size / sizeof(struct sock_filter)),
        (struct sock_filter *)filter->program,
    };
    const struct rlimit no_core = {0, 0}; /* it would hold what guests hold */
    struct sigaction action = {.sa_sigaction = refused, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    errno = 0;
    report.descriptor = descriptor;
    snprintf(report.before, sizeof report.before, "%s", before);
    snprintf(report.after, sizeof report.after, "%s", after);
    if (setrlimit(RLIMIT_CORE, &no_core) < 0 || sigaction(SIGSYS, &action, NULL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        return errno ? -errno : -EBUSY; /* a thread that has another filter */
    return 0;
}

const unsigned char *walls_filter_program(int which)
{
    return walls_filters[which].program;
}

int walls_filter_size(int which)
{
    return walls_filters[which].size;
}
