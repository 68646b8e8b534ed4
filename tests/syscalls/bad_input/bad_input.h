/* Tables of calls that work, each tried with every argument in turn replaced by bad ones.
 *
 * A table's line is a call with good arguments, described by kind: DESCRIPTOR(n), BUFFER, NAME(path),
 * FLAGS(v), LENGTH(v), PROCESS, NUMBER(v), and FIXED(v), which is never replaced. The attempts for
 * one argument are a process of their own, and what blocks is interrupted. Printed is the errno, or
 * `ok`, for results differ from run to run.
 */
#ifndef BAD_INPUT_H
#define BAD_INPUT_H

#include "guest.h"
#include <sys/epoll.h>
#include <sys/socket.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

enum { FILE_FD = 10, PLACE_FD, DIRECTORY_FD, READER_FD, WRITER_FD, SOCKET_FD, EPOLL_FD, NULL_FD,
       OUTPUT_FD, CLOSED_FD = 40, PAGE = 4096 };
enum kind { ABSENT, IS_FIXED, IS_DESCRIPTOR, IS_BUFFER, IS_NAME, IS_FLAGS, IS_LENGTH, IS_PROCESS,
            IS_NUMBER, KINDS };

#define DESCRIPTOR(fd) {IS_DESCRIPTOR, fd}
#define BUFFER {IS_BUFFER, 0}
#define NAME(path) {IS_NAME, (long)(path)}
#define FLAGS(value) {IS_FLAGS, value}
#define LENGTH(value) {IS_LENGTH, value}
#define PROCESS {IS_PROCESS, 0}
#define NUMBER(value) {IS_NUMBER, value}
#define FIXED(value) {IS_FIXED, (long)(value)}

struct argument {
    enum kind kind;
    long good;
};

struct call {
    const char *name;
    long number;
    struct argument arguments[6];
    const char *content; /* what the buffer starts with, if not zeros */
    size_t size;
};

#define CALL(name, ...) {#name "(" #__VA_ARGS__ ")", SYS_##name, {__VA_ARGS__}, NULL, 0}
#define CALL_WITH(object, name, ...) \
    {#name "(" #__VA_ARGS__ ")", SYS_##name, {__VA_ARGS__}, (const char *)&(object), sizeof(object)}

static char *buffer; /* a page with nothing behind it */
static char *read_only;

struct bad {
    const char *label;
    long value;
};

/* What replaces a good argument; no label ends it.  Nothing here belongs to the machine: natively,
 * a call that succeeds changes what it is given. */
static const struct bad *bad_values(enum kind kind) {
    static struct bad pointers[] = {{"NULL", 0}, {"low", 8}, {"kernel", 0xffff800000000000},
                                    {"not canonical", 0x800000000000}, {"read-only", 0},
                                    {"end", 0}, {"behind", 0}, {NULL, 0}};
    static const struct bad names[] = {{"NULL", 0}, {"low", 8}, {"kernel", 0xffff800000000000},
                                       {"empty", (long)""}, {"absent", (long)"absent"},
                                       {"below a file", (long)"file/x"}, {"slash", (long)"file/"},
                                       {"directory", (long)"directory"}, {"loop", (long)"loop"},
                                       {"absent below", (long)"absent/x"}, {NULL, 0}};
    static const struct bad descriptors[] = {
        {"-1", -1}, {"closed", CLOSED_FD}, {"huge", 1 << 30}, {"AT_FDCWD", AT_FDCWD},
        {"place", PLACE_FD}, {"directory", DIRECTORY_FD}, {"reader", READER_FD},
        {"writer", WRITER_FD}, {"socket", SOCKET_FD}, {"epoll", EPOLL_FD},
        {NULL, 0}};
    static const struct bad flags[] = {{"-1", -1}, {"bit 30", 1 << 30}, {"bit 31", 1L << 31},
                                       {"bit 40", 1L << 40}, {"1", 1}, {NULL, 0}};
    static const struct bad lengths[] = {{"0", 0}, {"1", 1}, {"-1", -1}, {"bit 31", 1L << 31},
                                         {"most", INT64_MAX}, {NULL, 0}};
    static const struct bad processes[] = {{"-1", -1}, {"least", INT32_MIN}, {"most", INT32_MAX},
                                           {"nobody's", 4194303}, {NULL, 0}};
    static const struct bad numbers[] = {{"-1", -1}, {"0", 0}, {"1000", 1000},
                                         {"least", INT32_MIN}, {"most", INT32_MAX}, {NULL, 0}};
    static const struct bad none[] = {{NULL, 0}};
    pointers[4].value = (long)read_only;
    pointers[5].value = (long)buffer + PAGE - 2;
    pointers[6].value = (long)buffer + PAGE;
    const struct bad *all[KINDS] = {none, none, descriptors, pointers, names, flags, lengths,
                                    processes, numbers};
    return all[kind];
}

static UNUSED void interrupt(int number) { (void)number; }

static UNUSED void attempt(const struct call *call, int place, const struct bad *bad) {
    struct itimerval soon = {{0, 50000}, {0, 200000}}, never = {};
    long given[6];
    memset(buffer, 0, PAGE);
    if (call->content)
        memcpy(buffer, call->content, call->size);
    for (int i = 0; i < 6; i++)
        given[i] = call->arguments[i].kind == IS_BUFFER ? (long)buffer : call->arguments[i].good;
    if (bad)
        given[place] = bad->value;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = interrupt}, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    long result = syscall(call->number, given[0], given[1], given[2], given[3], given[4], given[5]);
    const char *error = result < 0 ? errno_name(errno) : "ok";
    setitimer(ITIMER_REAL, &never, NULL);
    if (bad)
        dprintf(OUTPUT_FD, "  %d %s: %s\n", place, bad->label, error);
    else
        dprintf(OUTPUT_FD, "%s: %s\n", call->name, error);
}

/* What a process would leave in these, others would see. */
static UNUSED void make_pipe(void) {
    int pair[2];
    CHECK(pipe(pair) == 0 && dup2(pair[0], READER_FD) == READER_FD);
    CHECK(dup2(pair[1], WRITER_FD) == WRITER_FD && write(WRITER_FD, "text", 4) == 4);
    close(pair[0]);
    close(pair[1]);
}

/* The call with good arguments (-1), or with all that is bad in one place. */
static UNUSED void try_place(const struct call *call, int place, bool nobody) {
    static const struct bad once[] = {{"", 0}, {NULL, 0}};
    const struct bad *bad = place < 0 ? once : bad_values(call->arguments[place].kind);
    if (!bad->label)
        return;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        make_pipe();
        if (nobody)
            become_nobody();
        for (; bad->label; bad++)
            attempt(call, place, place < 0 ? NULL : bad);
        syscall(SYS_exit_group, 0);
    }
    int status;
    CHECK(waitpid(child, &status, __WALL) == child);
    if (status)
        show_status("  it", status);
}

static UNUSED void make_world(void) {
    int protection = PROT_READ | PROT_WRITE;
    buffer = mmap(NULL, 2 * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(mprotect(buffer + PAGE, PAGE, PROT_NONE) == 0);
    read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    put_file("file", "some text that is read\n");
    CHECK(chmod("file", 0666) == 0 && mkdir("directory", 0777) == 0 && symlink("loop", "loop") == 0);
    CHECK(symlink("file", "link") == 0);
    CHECK(dup2(open("file", O_RDWR), FILE_FD) == FILE_FD);
    CHECK(dup2(open("file", O_PATH), PLACE_FD) == PLACE_FD);
    CHECK(dup2(open("directory", O_RDONLY), DIRECTORY_FD) == DIRECTORY_FD);
    CHECK(dup2(socket(AF_UNIX, SOCK_STREAM, 0), SOCKET_FD) == SOCKET_FD);
    CHECK(dup2(epoll_create1(0), EPOLL_FD) == EPOLL_FD);
    CHECK(dup2(open("/dev/null", O_RDWR), NULL_FD) == NULL_FD);
    CHECK(dup2(1, OUTPUT_FD) == OUTPUT_FD);
    for (int fd = 3; fd < FILE_FD; fd++)
        close(fd);
}

static UNUSED void try_all(const struct call *calls, size_t count, bool nobody) {
    puts(nobody ? "as nobody" : "as root");
    for (const struct call *call = calls; call < calls + count; call++)
        for (int place = -1; place < 6; place++)
            try_place(call, place, nobody);
}

#define TRY_ALL(calls, nobody) try_all(calls, sizeof(calls) / sizeof *(calls), nobody)

#endif
