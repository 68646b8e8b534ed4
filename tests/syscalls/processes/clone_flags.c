/* clone(2): what is shared by which flag, and combinations that are refused. */
#include "guest.h"
#include <sched.h>

static char stack[65536] __attribute__((aligned(16)));
static volatile int value;

static int child_main(void *argument) {
    value = 7;
    if (argument)
        CHECK(chdir("/") == 0);
    close(3);
    return 4;
}

static void try(const char *what, int flags, void *argument) {
    value = 0;
    CHECK(dup2(1, 3) == 3);
    char start[4096], now[4096];
    CHECK(getcwd(start, sizeof start));
    pid_t child = clone(child_main, stack + sizeof stack, flags | SIGCHLD, argument);
    CHECK(child > 0);
    wait_and_show(what, child);
    CHECK(getcwd(now, sizeof now));
    printf("memory %s, files %s, directory %s\n", value ? "shared" : "apart",
           fcntl(3, F_GETFD) < 0 ? "shared" : "apart", strcmp(start, now) ? "shared" : "apart");
    CHECK(chdir(start) == 0);
}

int main(void) {
    try("nothing", 0, "x");
    try("memory", CLONE_VM, "x");
    try("files", CLONE_FILES, "x");
    try("fs", CLONE_FS, "x");
    try("all", CLONE_VM | CLONE_FILES | CLONE_FS, "x");
    SHOW(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
    SHOW(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
    SHOW(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0));
    pid_t recorded = 0;
    pid_t child = clone(child_main, stack + sizeof stack, CLONE_PARENT_SETTID | SIGCHLD, NULL,
                        &recorded, NULL, NULL);
    SHOW(child == recorded);
    wait_and_show("settid", child);
    child = clone(child_main, stack + sizeof stack, 0, NULL); /* no signal: only __WALL sees it */
    int status;
    SHOW(waitpid(child, &status, WNOHANG));
    SHOW(waitpid(child, &status, __WALL) == child);
    show_status("quiet", status);
    return 0;
}
