/* Vector and floating-point registers survive a signal handler that uses them, and calls. */
// guest: cflags = -frounding-math -lm
#include "guest.h"
#include <fenv.h>

static volatile sig_atomic_t handled;

static void handler(int number) {
    (void)number;
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15;"
                     "fninit; fldz; fldz"
                     :
                     :
                     : "xmm0", "xmm7", "xmm15", "memory");
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vpxor %%ymm3, %%ymm3, %%ymm3" : : : "xmm3");
    handled++;
}

int main(void) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    static uint64_t in[8][4], out[8][4];
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 4; j++)
            in[i][j] = 0x1111111111111111 * (i + 1) + j;
    int avx = __builtin_cpu_supports("avx");
    long pid = getpid();
    fesetround(FE_UPWARD);
    for (int times = 0; times < 50; times++) {
        long result = SYS_kill;
        if (avx)
            __asm__ volatile("vmovdqu (%1), %%ymm0; vmovdqu 32(%1), %%ymm3;"
                             "vmovdqu 64(%1), %%ymm7; vmovdqu 96(%1), %%ymm15;"
                             "syscall;"
                             "vmovdqu %%ymm0, (%2); vmovdqu %%ymm3, 32(%2);"
                             "vmovdqu %%ymm7, 64(%2); vmovdqu %%ymm15, 96(%2)"
                             : "+a"(result)
                             : "b"(in), "d"(out), "D"(pid), "S"((long)SIGUSR1)
                             : "rcx", "r11", "memory", "xmm0", "xmm3", "xmm7", "xmm15");
        else
            memcpy(out, in, sizeof in), kill(pid, SIGUSR1);
        CHECK(memcmp(in, out, 4 * 32) == 0);
        memset(out, 0, sizeof out);
    }
    SHOW(handled);
    SHOW(fegetround() == FE_UPWARD);
    volatile double one = 1.0, three = 3.0;
    printf("%.20f\n", one / three);
    pid_t child = fork();
    if (child == 0) {
        printf("%.20f\n", one / three);
        _exit(fegetround() == FE_UPWARD ? 0 : 1);
    }
    wait_and_show("child keeps the rounding", child);
    return 0;
}
