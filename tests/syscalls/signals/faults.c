/* Faults as signals: which signal, code and address; and what happens without a handler. */
#include "guest.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *expected;

static void handler(int number, siginfo_t *info, void *context) {
    (void)context;
    printf("%s code %d address %s\n", sigabbrev_np(number), info->si_code,
           info->si_addr == expected ? "as expected" : "other");
    siglongjmp(back, 1);
}

#define TRY(what, address, statement)                                                             \
    do {                                                                                          \
        printf("%s: ", what);                                                                     \
        fflush(stdout);                                                                           \
        expected = (char *)(address);                                                             \
        if (sigsetjmp(back, 1) == 0) {                                                            \
            statement;                                                                            \
            puts("nothing happened");                                                             \
        }                                                                                         \
    } while (0)

static volatile int zero;

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int i = 0; i < 5; i++)
        CHECK(sigaction(numbers[i], &action, NULL) == 0);
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED && munmap(page + 4096, 4096) == 0);
    TRY("write to read-only", page + 8, *(volatile char *)(page + 8) = 1);
    TRY("read unmapped", page + 4096, (void)*(volatile char *)(page + 4096));
    TRY("null", 0x10, *(volatile char *)0x10 = 1);
    TRY("not canonical", 0, (void)*(volatile char *)0x8000000000000000);
    TRY("kernel", 0xffffffff80000000, (void)*(volatile char *)0xffffffff80000000);
    int fd = memfd_create("x", 0);
    CHECK(ftruncate(fd, 10) == 0);
    char *file = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    TRY("beyond the file", file + 4096, (void)*(volatile char *)(file + 4096));
    CHECK(mprotect(page, 4096, PROT_NONE) == 0);
    TRY("no access", page, (void)*(volatile char *)page);
    TRY("execute data", page, ((void (*)(void))page)());
    extern char divide[], invalid[];
    TRY("divide", divide,
        __asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; .globl divide; divide: idivl %0"
                         :
                         : "m"(zero)
                         : "eax", "edx", "memory"));
    TRY("invalid instruction", invalid, __asm__ volatile(".globl invalid; invalid: ud2"));
    TRY("breakpoint", 0, __asm__ volatile("int3"));
    TRY("privileged", 0, __asm__ volatile("hlt"));
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGSEGV, i == 1 ? SIG_IGN : SIG_DFL);
            sigset_t mask;
            sigfillset(&mask);
            if (i == 2)
                sigprocmask(SIG_BLOCK, &mask, NULL);
            *(volatile char *)0x10 = 1;
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        printf("child %d: %s\n", i, WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "exited");
    }
    return 0;
}
