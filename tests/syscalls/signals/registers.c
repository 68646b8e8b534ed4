/* A system call changes rax, rcx and r11 and no other register; nor does a signal. */
// guest: cflags = -fno-pie -no-pie
#include "guest.h"

static void handler(int number) {
    (void)number;
    __asm__ volatile("xor %%r8d, %%r8d; xor %%r9d, %%r9d; xor %%r10d, %%r10d; xor %%edi, %%edi"
                     :
                     :
                     : "r8", "r9", "r10", "rdi");
}

struct registers {
    uint64_t rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15, flags;
};
struct registers after;

/* Calls `number` with known values in all registers, and stores them afterwards. */
__attribute__((noinline)) static long call(long number, uint64_t rdi, uint64_t rsi) {
    long result;
    __asm__ volatile(
        "push %%rbx; push %%rbp; push %%r12; push %%r13; push %%r14; push %%r15;"
        "mov $0x1b1b1b1b, %%ebx; mov $0x1d1d1d1d, %%edx; mov $0xb9b9b9b, %%ebp;"
        "mov $0x08080808, %%r8d; mov $0x09090909, %%r9d; mov $0x10101010, %%r10d;"
        "mov $0x12121212, %%r12d; mov $0x13131313, %%r13d; mov $0x14141414, %%r14d;"
        "mov $0x15151515, %%r15d; stc; syscall;"
        "mov %%rbx, 0+after(%%rip); mov %%rdx, 8+after(%%rip); mov %%rsi, 16+after(%%rip);"
        "mov %%rdi, 24+after(%%rip); mov %%rbp, 32+after(%%rip); mov %%r8, 40+after(%%rip);"
        "mov %%r9, 48+after(%%rip); mov %%r10, 56+after(%%rip); mov %%r12, 64+after(%%rip);"
        "mov %%r13, 72+after(%%rip); mov %%r14, 80+after(%%rip); mov %%r15, 88+after(%%rip);"
        "pushfq; popq 96+after(%%rip); cld;"
        "pop %%r15; pop %%r14; pop %%r13; pop %%r12; pop %%rbp; pop %%rbx"
        : "=a"(result), "+D"(rdi), "+S"(rsi)
        : "a"(number)
        : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
}

static void show(const char *what, uint64_t rdi, uint64_t rsi) {
    printf("%s: rbx %lx rdx %lx rbp %lx r8 %lx r9 %lx r10 %lx\n", what, after.rbx, after.rdx,
           after.rbp, after.r8, after.r9, after.r10);
    printf("  r12 %lx r13 %lx r14 %lx r15 %lx rdi %d rsi %d carry %lu\n", after.r12, after.r13,
           after.r14, after.r15, after.rdi == rdi, after.rsi == rsi, after.flags & 1);
}

int main(void) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    call(SYS_getpid, 0x2d2d2d2d, 0x2e2e2e2e);
    show("getpid", 0x2d2d2d2d, 0x2e2e2e2e);
    printf("%ld\n", call(SYS_close, 99, 5));
    show("close", 99, 5);
    printf("%ld\n", call(9999, 1, 2));
    show("unknown", 1, 2);
    uint64_t pid = getpid();
    printf("%ld\n", call(SYS_kill, pid, SIGUSR1));
    show("signal", pid, SIGUSR1);
    printf("%ld\n", call(SYS_sched_yield, 3, 4));
    show("yield", 3, 4);
    printf("%d\n", call(SYS_brk, 0, 4) > 0);
    show("brk", 0, 4);
    return 0;
}
