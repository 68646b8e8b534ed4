/* vfork(2) shares memory and holds the parent; posix_spawn(3) reports errors of exec. */
#include "guest.h"
#include <sched.h>
#include <spawn.h>

extern char **environ;

static volatile int shared;

static int changes_shared(void *argument) {
    usleep(20000);
    shared = 1;
    return argument ? 3 : 0;
}

/* clone(2) with CLONE_VFORK holds the parent too, also when it makes a pidfd. */
static void clone_holds(int flags) {
    static char stack[65536] __attribute__((aligned(16)));
    int pidfd = -1;
    shared = 0;
    pid_t child = clone(changes_shared, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD | flags,
                        "x", &pidfd);
    printf("held %d, pidfd %s\n", shared, pidfd >= 0 ? "made" : "none");
    wait_and_show("clone", child);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        printf("spawned with %s\n", argv[1]);
        fflush(stdout);
        return atoi(argv[1]);
    }
    volatile int value = 1;
    pid_t child = vfork();
    if (child == 0) {
        value = 2;
        usleep(20000);
        _exit(6);
    }
    printf("value %d\n", value);
    wait_and_show("vfork", child);
    clone_holds(0);
    clone_holds(CLONE_PIDFD);
    child = vfork();
    if (child == 0) {
        execl("/proc/self/exe", "x", "5", NULL);
        _exit(99);
    }
    wait_and_show("vfork and exec", child);
    char *arguments[] = {"x", "8", NULL};
    SHOW(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ));
    wait_and_show("spawn", child);
    SHOW(posix_spawn(&child, "/missing", NULL, NULL, arguments, environ) == ENOENT);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "output", O_WRONLY | O_CREAT, 0644);
    SHOW(posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ));
    wait_and_show("redirected", child);
    show_file("output");
    SHOW(system("exit 12") >> 8);
    FILE *stream = popen("echo from a shell; exit 2", "r");
    char line[64];
    CHECK(fgets(line, sizeof line, stream));
    fputs(line, stdout);
    SHOW(pclose(stream) >> 8);
    return 0;
}
