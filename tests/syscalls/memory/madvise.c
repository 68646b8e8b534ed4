/* madvise(2): DONTNEED gives zeros back, DONTFORK, WIPEONFORK, advice that does not exist. */
#include "guest.h"

int main(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *area = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
    CHECK(area != MAP_FAILED);
    memset(area, 'x', 4 * 4096);
    SHOW(madvise(area, 4096, MADV_DONTNEED));
    printf("%d %c\n", area[0], area[4096]);
    SHOW(madvise(area, 4096, MADV_WILLNEED));
    SHOW(madvise(area, 4096, MADV_NORMAL));
    SHOW(madvise(area, 4096, 9999));
    SHOW(madvise(area + 1, 4096, MADV_DONTNEED));
    SHOW(madvise(area + 4096, 4096, MADV_WIPEONFORK));
    pid_t child = fork();
    if (child == 0) {
        printf("%d %c\n", area[4096], area[8192]);
        _exit(0);
    }
    wait_and_show("child", child);
    SHOW(madvise(area + 8192, 4096, MADV_DONTFORK));
    child = fork();
    if (child == 0)
        _exit(area[8192]);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    puts(WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "exited");
    SHOW(munmap(area, 4096));
    SHOW(madvise(area, 8192, MADV_DONTNEED));
    SHOW(mlock(area + 4096, 4096));
    SHOW(munlock(area + 4096, 4096));
    return 0;
}
