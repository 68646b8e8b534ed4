/* The PTRACE_EVENT stops: forks, clones, vfork's end, exec, exits by calls and by signals. */
// guest: cflags = -pthread
// guest: timeout = 30
#include "guest.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>

static pid_t first, others[20];
static int count;

/* Names of tracees that are the same in every run. */
static const char *name_of(pid_t pid) {
    static char names[4][20];
    static int turn;
    char *name = names[turn++ % 4];
    if (pid == first)
        return "first";
    for (int i = 0; i < count; i++)
        if (others[i] == pid) {
            snprintf(name, 20, "child %d", i);
            return name;
        }
    others[count] = pid;
    snprintf(name, 20, "child %d", count++);
    return name;
}

static void show_stop(pid_t pid, int status) {
    int event = status >> 16, number = WSTOPSIG(status);
    unsigned long message = 0;
    CHECK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message) == 0);
    printf("%s: signal %d, event %d", name_of(pid), number, event);
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE ||
        event == PTRACE_EVENT_VFORK_DONE)
        printf(", of %s", name_of(message));
    else if (event == PTRACE_EVENT_EXEC)
        printf(", was %s", name_of(message));
    else
        printf(", message %lx", message);
    printf("\n");
}

/* One tracee runs at a time: until it has ended or, for a parent, made a child. */
static void follow(pid_t pid) {
    int status;
    for (;;) {
        pid_t stopped = waitpid(pid, &status, __WALL);
        if (stopped != pid) {
            printf("%s: %s\n", name_of(pid), errno_name(errno));
            return;
        }
        if (!WIFSTOPPED(status)) {
            show_status(name_of(pid), status);
            return;
        }
        show_stop(pid, status);
        int event = status >> 16, number = event ? 0 : WSTOPSIG(status);
        if (number == SIGSTOP || number == SIGTRAP)
            number = 0;
        unsigned long child;
        if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
            event == PTRACE_EVENT_CLONE) {
            CHECK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &child) == 0);
            follow(child);
        }
        CHECK(ptrace(PTRACE_CONT, pid, 0, number) == 0);
    }
}

static int quiet(void *argument) { return (int)(long)argument; }
static char stack[65536] __attribute__((aligned(16)));

static void forks(void) {
    pid_t child = fork();
    if (child == 0)
        _exit(3);
    waitpid(child, NULL, 0);
    child = vfork();
    if (child == 0)
        _exit(4);
    waitpid(child, NULL, 0);
    child = clone(quiet, stack + sizeof stack, CLONE_VM, (void *)5);
    waitpid(child, NULL, __WALL);
    child = clone(quiet, stack + sizeof stack, CLONE_UNTRACED | SIGCHLD, (void *)6);
    waitpid(child, NULL, 0);
    _exit(0);
}

static void execs(void) {
    execl("/proc/self/exe", "self", "again", NULL);
}

static void dies(void) {
    raise(SIGUSR1);
}

static void faults(void) {
    *(volatile char *)8 = 1;
}

static void try(const char *name, void (*function)(void), int options, int seize) {
    printf("-- %s\n", name);
    int ends[2];
    char byte = 'x';
    CHECK(pipe(ends) == 0);
    count = 0;
    pid_t child = fork();
    if (child == 0) {
        if (seize) {
            CHECK(read(ends[0], &byte, 1) == 1);
        } else {
            CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
            raise(SIGSTOP);
        }
        function();
        _exit(9);
    }
    first = child;
    if (seize) {
        CHECK(ptrace(PTRACE_SEIZE, child, 0, options) == 0);
        CHECK(write(ends[1], &byte, 1) == 1);
    } else {
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(ptrace(PTRACE_SETOPTIONS, child, 0, options) == 0);
        CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
    }
    follow(child);
    close(ends[0]);
    close(ends[1]);
}

int main(int arguments, char **values) {
    if (arguments > 1)
        return values[1][0] == 'a' ? 17 : 18;
    int all = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
              PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;
    for (int seize = 0; seize < 2; seize++) {
        try("forks", forks, all, seize);
        try("exec", execs, all, seize);
        try("exec without the option", execs, 0, seize);
        try("death by a signal", dies, all, seize);
        try("fault", faults, all, seize);
    }
    return 0;
}
