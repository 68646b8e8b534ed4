/* si_code and si_addr of every synchronous fault, and whether the address is the right one. */
#include "guest.h"
#include <setjmp.h>

static sigjmp_buf back;
static siginfo_t seen;
static volatile unsigned long fault_ip;

static void handler(int number, siginfo_t *info, void *context) {
    ucontext_t *machine = context;
    (void)number;
    seen = *info;
    fault_ip = machine->uc_mcontext.gregs[16]; /* REG_RIP */
    siglongjmp(back, 1);
}

static void show(const char *what, const void *expected) {
    printf("%s: %s, code %d, errno %d, address %s\n", what, sigabbrev_np(seen.si_signo),
           seen.si_code, seen.si_errno,
           seen.si_addr == expected                           ? "as expected"
           : seen.si_addr == (void *)fault_ip                 ? "the instruction"
           : seen.si_addr == NULL                             ? "null"
                                                              : "another");
}

#define FAULT(what, expected, statement)                                                           \
    do {                                                                                           \
        memset(&seen, 0, sizeof seen);                                                             \
        if (sigsetjmp(back, 1) == 0) {                                                             \
            statement;                                                                             \
            printf("%s: nothing\n", what);                                                         \
        } else {                                                                                   \
            show(what, expected);                                                                  \
        }                                                                                          \
    } while (0)

static void divide(long by) {
    __asm__ volatile("cqto\n idivq %0" : : "r"(by) : "rax", "rdx", "cc");
}

static void x87(unsigned unmasked, double first, double second) {
    unsigned short control = 0x37f & ~unmasked;
    volatile double result;
    __asm__ volatile("fninit\n fldcw %1\n fldl %2\n fdivl %3\n fstpl %0\n fwait"
                     : "=m"(result)
                     : "m"(control), "m"(first), "m"(second));
}

static void sse(unsigned unmasked, double first, double second) {
    unsigned control = 0x1f80 & ~(unmasked << 7);
    __asm__ volatile("ldmxcsr %0\n movsd %1, %%xmm0\n divsd %2, %%xmm0"
                     :
                     : "m"(control), "m"(first), "m"(second)
                     : "xmm0");
}

int main(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    for (int i = 0; i < 5; i++)
        CHECK(sigaction(signals[i], &action, NULL) == 0);
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    FAULT("write to a read-only page", page + 5, *(volatile char *)(page + 5) = 1);
    FAULT("execution of data", page, ((void (*)(void))page)());
    CHECK(mprotect(page, 4096, PROT_NONE) == 0);
    FAULT("read without permission", page + 7, (void)*(volatile char *)(page + 7));
    CHECK(munmap(page, 4096) == 0);
    FAULT("read of nothing", page + 9, (void)*(volatile char *)(page + 9));
    FAULT("read of null", NULL, (void)*(volatile char *)NULL);
    FAULT("a call of null", NULL, ((void (*)(void))NULL)());
    FAULT("address that is none", NULL, (void)*(volatile char *)0x8000000000000000);
    FAULT("address of the kernel", (void *)0xffffffff80000000,
          (void)*(volatile char *)0xffffffff80000000);
    int file = memfd_create("short", 0);
    CHECK(file >= 0 && ftruncate(file, 4096) == 0);
    char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(mapped != MAP_FAILED);
    FAULT("beyond the end of a file", mapped + 4100, (void)*(volatile char *)(mapped + 4100));
    FAULT("write beyond the end", mapped + 4100, *(volatile char *)(mapped + 4100) = 1);
    FAULT("division by zero", (void *)fault_ip, divide(0));
    FAULT("x87 divided by zero", (void *)fault_ip, x87(4, 1, 0));
    FAULT("x87 invalid", (void *)fault_ip, x87(1, 0, 0));
    FAULT("x87 inexact", (void *)fault_ip, x87(32, 1, 3));
    FAULT("SSE divided by zero", (void *)fault_ip, sse(4, 1, 0));
    FAULT("SSE invalid", (void *)fault_ip, sse(1, 0, 0));
    FAULT("SSE overflow", (void *)fault_ip, sse(8, 1e300, 1e-300));
    FAULT("SSE underflow", (void *)fault_ip, sse(16, 1e-300, 1e300));
    FAULT("SSE inexact", (void *)fault_ip, sse(32, 1, 3));
    __asm__ volatile("fninit");
    FAULT("ud2", (void *)fault_ip, __asm__ volatile("ud2"));
    FAULT("privileged", NULL, __asm__ volatile("hlt"));
    FAULT("int3", NULL, __asm__ volatile("int3"));
    FAULT("int 1", NULL, __asm__ volatile(".byte 0xf1"));
    FAULT("int 4", NULL, __asm__ volatile("int $4"));
    FAULT("single step", NULL,
          __asm__ volatile("pushfq\n orq $0x100, (%%rsp)\n popfq\n nop\n nop" ::: "memory", "cc"));
    return 0;
}
