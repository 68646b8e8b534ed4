/* process_vm_readv and process_vm_writev between parent and child, and kcmp. */
#include "guest.h"
#include <sys/uio.h>

static char area[64] = "parent area";

int main(void) {
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        strcpy(area, "child area");
        CHECK(write(fds[1], "x", 1) == 1);
        pause();
        _exit(0);
    }
    char ready;
    CHECK(read(fds[0], &ready, 1) == 1);
    char head[4] = "", tail[32] = "";
    struct iovec here[2] = {{head, 3}, {tail, 31}}, there = {area, 11};
    SHOW(process_vm_readv(child, here, 2, &there, 1, 0));
    printf("%s|%s\n", head, tail);
    struct iovec unmapped = {(void *)8, 4};
    SHOW(process_vm_readv(child, here, 1, &unmapped, 1, 0));
    struct iovec word = {"CHILD", 5};
    SHOW(process_vm_writev(child, &word, 1, &there, 1, 0));
    memset(tail, 0, sizeof tail);
    struct iovec all = {tail, 31};
    SHOW(process_vm_readv(child, &all, 1, &there, 1, 0));
    puts(tail);
    SHOW(process_vm_readv(999999, here, 1, &there, 1, 0));
    SHOW(process_vm_readv(child, here, 1, &there, 1, 1));
    pid_t self = getpid();
    SHOW(syscall(SYS_kcmp, child, self, 0, fds[0], fds[0]));
    SHOW(syscall(SYS_kcmp, child, self, 1, 0, 0) > 0);
    SHOW(syscall(SYS_kcmp, self, self, 2, 0, 0));
    CHECK(kill(child, SIGKILL) == 0);
    wait_and_show("child", child);
    return 0;
}
