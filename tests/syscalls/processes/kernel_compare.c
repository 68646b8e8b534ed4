/* kcmp(2) of every kind, process_vm_readv(2) in part, membarrier(2), rseq(2), personality(2). */
#include "guest.h"
#include <linux/kcmp.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/personality.h>
#include <sys/uio.h>

static long compare(pid_t one, pid_t two, int kind, unsigned long first, unsigned long second) {
    long result = syscall(SYS_kcmp, one, two, kind, first, second);
    return result > 0 ? 1 : result;
}

static int child_main(void *argument) {
    int fd = *(int *)argument;
    char byte;
    return read(fd, &byte, 1) == 1 ? 0 : 1;
}

static char stack[65536] __attribute__((aligned(16)));

static void comparisons(int flags) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t self = getpid(), child = clone(child_main, stack + sizeof stack, flags | SIGCHLD, ends);
    CHECK(child > 0);
    printf("flags %x\n", flags);
    SHOW(compare(self, child, KCMP_VM, 0, 0));
    SHOW(compare(self, child, KCMP_FILES, 0, 0));
    SHOW(compare(self, child, KCMP_FS, 0, 0));
    SHOW(compare(self, child, KCMP_SIGHAND, 0, 0));
    SHOW(compare(self, child, KCMP_IO, 0, 0));
    SHOW(compare(self, child, KCMP_SYSVSEM, 0, 0));
    SHOW(compare(self, child, KCMP_FILE, 1, 1));
    SHOW(compare(self, child, KCMP_FILE, ends[0], ends[0]));
    SHOW(compare(self, child, KCMP_FILE, ends[0], 99));
    SHOW(compare(self, self, KCMP_FILE, ends[0], ends[1]) != 0);
    CHECK(write(ends[1], "x", 1) == 1);
    wait_and_show("child", child);
    close(ends[0]);
    close(ends[1]);
}

static void epoll(void) {
    int watcher = epoll_create1(0), pair[2];
    CHECK(pipe(pair) == 0);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(epoll_ctl(watcher, EPOLL_CTL_ADD, pair[0], &event) == 0);
    struct kcmp_epoll_slot slot = {watcher, pair[0], 0};
    pid_t self = getpid();
    SHOW(compare(self, self, KCMP_EPOLL_TFD, pair[0], (unsigned long)&slot));
    slot.toff = 1;
    SHOW(compare(self, self, KCMP_EPOLL_TFD, pair[0], (unsigned long)&slot));
    slot = (struct kcmp_epoll_slot){pair[0], 1, 0};
    SHOW(compare(self, self, KCMP_EPOLL_TFD, pair[0], (unsigned long)&slot));
    SHOW(compare(self, self, KCMP_EPOLL_TFD, pair[0], 8));
}

static void memory(void) {
    char *pages = mmap(NULL, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char buffer[8192];
    CHECK(pages != MAP_FAILED);
    memset(pages, 'p', 12288);
    CHECK(munmap(pages + 4096, 4096) == 0);
    struct iovec local = {buffer, 100};
    struct iovec remote[] = {{pages + 4000, 50}, {pages + 4090, 50}};
    pid_t self = getpid();
    SHOW(process_vm_readv(self, &local, 1, remote, 1, 0));
    SHOW(process_vm_readv(self, &local, 1, remote, 2, 0));
    SHOW(process_vm_writev(self, &local, 1, remote, 2, 0));
    remote[0].iov_base = pages + 4096;
    SHOW(process_vm_readv(self, &local, 1, remote, 2, 0));
    struct iovec bad = {(void *)8, 100};
    remote[0].iov_base = pages;
    SHOW(process_vm_readv(self, &bad, 1, remote, 1, 0));
    SHOW(process_vm_readv(self, &local, 1, remote, 1, 1));
    SHOW(process_vm_readv(self, &local, 2000, remote, 1, 0));
    SHOW(process_vm_readv(self, &local, 0, remote, 1, 0));
    SHOW(process_vm_readv(self, &local, 1, remote, 0, 0));
    SHOW(process_vm_readv(99999999, &local, 1, remote, 1, 0));
    SHOW(process_vm_readv(self, (struct iovec *)8, 1, remote, 1, 0));
    local.iov_len = -1;
    SHOW(process_vm_readv(self, &local, 1, remote, 1, 0));
}

int main(void) {
    comparisons(0);
    comparisons(CLONE_VM);
    comparisons(CLONE_FILES | CLONE_FS);
    comparisons(CLONE_VM | CLONE_SIGHAND);
    comparisons(CLONE_SYSVSEM);
    epoll();
    pid_t self = getpid();
    SHOW(compare(self, self, 99, 0, 0));
    SHOW(compare(self, 99999999, KCMP_VM, 0, 0));
    memory();
    SHOW(personality(0xffffffff));
    SHOW(personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC));
    SHOW(personality(0));
    SHOW(personality(0xffffffff));
    SHOW((syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) & 0x7f));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 1, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, 12345, 0, 0));
    return 0;
}
