/* clone(2), clone3(2): when a child cannot be had as asked, there is none, and nothing is kept. */
#include "guest.h"
#include <linux/sched.h>
#include <sched.h>
#include <sys/resource.h>

static long clone_with(uint64_t flags, void *pidfd, pid_t *wanted) {
    struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
    arguments.pidfd = (uintptr_t)pidfd;
    if (wanted) {
        arguments.set_tid = (uintptr_t)wanted;
        arguments.set_tid_size = 1;
    }
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0)
        _exit(0);
    return child;
}

/* Whether the other end of a pipe is closed everywhere once we have closed it. */
static void show_end_of_file(int reader, int writer) {
    char byte;
    close(writer);
    SHOW(read(reader, &byte, 1));
    close(reader);
}

int main(void) {
    int ends[2], pidfd = -1;
    puts("a number that is taken");
    pid_t taken = getpid();
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    SHOW(clone_with(0, NULL, &taken));
    SHOW(clone_with(CLONE_FILES, NULL, &taken));
    SHOW(waitpid(-1, NULL, __WALL));
    show_end_of_file(ends[0], ends[1]);

    puts("nowhere to put the pidfd");
    SHOW(clone_with(CLONE_PIDFD, (void *)8, NULL));
    SHOW(waitpid(-1, NULL, __WALL));
    SHOW(dup(0));
    close(3);

    puts("no descriptor for the pidfd");
    struct rlimit before, few = {3, 3};
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    few.rlim_max = before.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    SHOW(clone_with(CLONE_PIDFD, &pidfd, NULL));
    SHOW(pidfd);
    SHOW(waitpid(-1, NULL, __WALL));
    return 0;
}
