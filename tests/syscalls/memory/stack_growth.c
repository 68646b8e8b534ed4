/* The stack grows by itself to its limit, then SIGSEGV; a small limit holds after exec. */
#include "guest.h"
#include <sys/resource.h>

#pragma GCC diagnostic ignored "-Winfinite-recursion"

__attribute__((noinline)) static long deep(int levels) {
    volatile char large[1024];
    large[0] = levels;
    large[1023] = 1;
    return levels == 0 ? 0 : deep(levels - 1) + large[1023];
}

__attribute__((noinline)) static long endless(long level) {
    volatile char large[4096];
    large[0] = level;
    return endless(level + 1) + large[0];
}

int main(int argc, char **argv) {
    if (argc > 1) {
        SHOW(deep(atoi(argv[1])));
        return 0;
    }
    SHOW(deep(6000));
    pid_t child = fork();
    if (child == 0)
        return (int)endless(0);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    puts(WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "exited");
    for (int i = 0; i < 2; i++) {
        child = fork();
        if (child == 0) {
            struct rlimit limit = {1 << 20, 1 << 20};
            CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
            execl("/proc/self/exe", "x", i ? "5000" : "500", NULL);
            _exit(1);
        }
        CHECK(waitpid(child, &status, 0) == child);
        puts(WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "exited");
    }
    char *grows = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
    SHOW(grows != MAP_FAILED);
    return 0;
}
