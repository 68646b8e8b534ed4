/* System calls without libc, for processes of ours that are about to lose it: see stub.c, waiter.c. */

#ifndef RUNSC_RAW_H
#define RUNSC_RAW_H

#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#define RSEQ_UNREGISTER 1
#define RSEQ_SIGNATURE 0x53053053

/* In a copy of the sentry libc is out of bounds: its locks and caches are the sentry's. */
static inline long raw_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define RAW(number, a, b, c, d)                                                                    \
    raw_call(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* Takes back what libc registered with the kernel for memory that is about to go.  0, or -1. */
static inline int forget_libc(void *rseq)
{
    long size;

    RAW(SYS_set_robust_list, 0, 24, 0, 0);
    if (!rseq)
        return 0;
    for (size = 32; size <= 512; size += 32)
        if (RAW(SYS_rseq, rseq, size, RSEQ_UNREGISTER, RSEQ_SIGNATURE) == 0)
            return 0;
    return -1;
}

/* Default dispositions, nothing blocked: no handler is there to be run. */
static inline void reset_signals(void)
{
    const uint64_t action[4] = {0, 0, 0, 0};
    const uint64_t nothing = 0;

    for (int signal = 1; signal <= 64; signal++)
        RAW(SYS_rt_sigaction, signal, action, 0, 8);
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &nothing, 0, 8);
}

/* Where libc has registered restartable sequences, if it has: since glibc 2.35. */
static inline void *find_rseq(void)
{
    const ptrdiff_t *offset = dlsym(RTLD_DEFAULT, "__rseq_offset");
    const unsigned *size = dlsym(RTLD_DEFAULT, "__rseq_size");

    return offset && size && *size ? (char *)__builtin_thread_pointer() + *offset : NULL;
}

#endif
