/* sigaltstack(2): SS_AUTODISARM, sizes, changes from a handler, what threads and exec have. */
// guest: cflags = -pthread
#include "guest.h"
#include <sys/auxv.h>
#include <ucontext.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char first[65536] __attribute__((aligned(16))), second[65536] __attribute__((aligned(16)));

static const char *where(const void *address) {
    const char *place = address;
    return place >= first && place < first + sizeof first     ? "first"
           : place >= second && place < second + sizeof second ? "second"
                                                               : "normal";
}

static void show_stack(const char *what) {
    stack_t now;
    CHECK(sigaltstack(NULL, &now) == 0);
    printf("%s: flags %x, at %s, size %zu\n", what, (unsigned)now.ss_flags, where(now.ss_sp),
           now.ss_size);
}

static int depth;

static void handler(int number, siginfo_t *info, void *context) {
    ucontext_t *saved = context;
    char here;
    (void)info;
    printf("depth %d on %s; saved flags %x\n", depth, where(&here), (unsigned)saved->uc_stack.ss_flags);
    show_stack("in the handler");
    stack_t other = {.ss_sp = second, .ss_size = sizeof second};
    SHOW(sigaltstack(&other, NULL));
    if (depth++ == 0)
        raise(number);
}

static void *thread(void *unused) {
    show_stack("thread");
    return unused;
}

int main(int count, char **arguments) {
    if (count > 1) {
        show_stack(arguments[1]);
        return 0;
    }
    stack_t stack = {.ss_sp = first, .ss_size = sizeof first, .ss_flags = 0};
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    show_stack("at first");
    SHOW(sigaltstack(&stack, NULL));
    raise(SIGUSR1);
    show_stack("after it");
    depth = 0;
    stack.ss_flags = (int)SS_AUTODISARM;
    SHOW(sigaltstack(&stack, NULL));
    show_stack("disarming");
    raise(SIGUSR1);
    show_stack("after it");
    stack.ss_flags = SS_ONSTACK;
    SHOW(sigaltstack(&stack, NULL));
    show_stack("SS_ONSTACK");
    stack.ss_flags = 4;
    SHOW(sigaltstack(&stack, NULL));
    stack.ss_flags = 0;
    stack.ss_size = 1024;
    SHOW(sigaltstack(&stack, NULL));
    stack.ss_size = 2048;
    SHOW(sigaltstack(&stack, NULL));
    SHOW(sigaltstack((stack_t *)8, NULL));
    SHOW(sigaltstack(NULL, (stack_t *)8));
    stack.ss_size = 1 << 16;
    SHOW(sigaltstack(&stack, NULL));
    pthread_t other;
    CHECK(pthread_create(&other, NULL, thread, NULL) == 0);
    CHECK(pthread_join(other, NULL) == 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        show_stack("child");
        execl("/proc/self/exe", "self", "exec", NULL);
    }
    wait_and_show("child", child);
    /* A stack that wraps around the end of memory, and one that is not there. */
    for (int way = 0; way < 2; way++) {
        child = fork();
        if (child == 0) {
            stack_t none = {.ss_sp = way ? (void *)4096 : (void *)-4096L, .ss_size = 1 << 16};
            CHECK(sigaltstack(&none, NULL) == 0);
            raise(SIGUSR1);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        SHOW(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
    stack.ss_flags = SS_DISABLE;
    stack.ss_size = 0;
    SHOW(sigaltstack(&stack, NULL));
    show_stack("disabled");
    return 0;
}
