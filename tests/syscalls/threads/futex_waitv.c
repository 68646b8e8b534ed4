/* futex_waitv(2), and futex_wake, futex_wait, futex_requeue of futex(2)'s second edition. */
// guest: cflags = -pthread
#include "guest.h"
#include <linux/futex.h>

#define WAITV 449
#define WAKE 454
#define WAIT 455
#define REQUEUE 456
#define SIZE_U32 2
#define PRIVATE 128

static uint32_t words[4];
static struct futex_waitv waiters[129];
static volatile int ready;

static void *waker(void *which) {
    while (!ready)
        usleep(1000);
    usleep(50000);
    uint32_t *word = &words[(long)which];
    __atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
    while (syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0)
        usleep(1000);
    return NULL;
}

static struct timespec soon(int clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += 20000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_nsec -= 1000000000;
        time.tv_sec++;
    }
    return time;
}

int main(void) {
    for (int i = 0; i < 129; i++)
        waiters[i] = (struct futex_waitv){0, (uintptr_t)&words[i % 4], SIZE_U32 | PRIVATE, 0};
    struct timespec limit = soon(CLOCK_MONOTONIC), bad = {0, -1};
    SHOW(syscall(WAITV, waiters, 0, 0, NULL, CLOCK_MONOTONIC));
    SHOW(syscall(WAITV, waiters, 129, 0, NULL, CLOCK_MONOTONIC));
    SHOW(syscall(WAITV, NULL, 1, 0, NULL, CLOCK_MONOTONIC));
    SHOW(syscall(WAITV, waiters, 1, 1, NULL, CLOCK_MONOTONIC));
    SHOW(syscall(WAITV, waiters, 1, 0, &limit, CLOCK_BOOTTIME));
    SHOW(syscall(WAITV, waiters, 1, 0, &bad, CLOCK_MONOTONIC));
    SHOW(syscall(WAITV, waiters, 1, 0, 8, CLOCK_MONOTONIC));
    SHOW(syscall(WAITV, 8, 1, 0, NULL, CLOCK_MONOTONIC));
    limit = soon(CLOCK_MONOTONIC);
    SHOW(syscall(WAITV, waiters, 128, 0, &limit, CLOCK_MONOTONIC));
    limit = soon(CLOCK_REALTIME);
    SHOW(syscall(WAITV, waiters, 3, 0, &limit, CLOCK_REALTIME));
    waiters[1].val = 9;
    SHOW(syscall(WAITV, waiters, 3, 0, NULL, CLOCK_MONOTONIC));
    waiters[1].val = 1ULL << 32;
    SHOW(syscall(WAITV, waiters, 3, 0, &limit, CLOCK_MONOTONIC));
    waiters[1].val = 0;
    waiters[1].__reserved = 1;
    SHOW(syscall(WAITV, waiters, 3, 0, NULL, CLOCK_MONOTONIC));
    waiters[1].__reserved = 0;
    for (unsigned flags = 0; flags < 4; flags++) {
        limit = soon(CLOCK_MONOTONIC);
        waiters[1].flags = flags;
        SHOW(syscall(WAITV, waiters, 2, 0, &limit, CLOCK_MONOTONIC));
    }
    waiters[1].flags = SIZE_U32 | 0x40;
    SHOW(syscall(WAITV, waiters, 2, 0, NULL, CLOCK_MONOTONIC));
    waiters[1].flags = SIZE_U32 | PRIVATE;
    waiters[1].uaddr += 1;
    SHOW(syscall(WAITV, waiters, 2, 0, NULL, CLOCK_MONOTONIC));
    waiters[1].uaddr = 8;
    SHOW(syscall(WAITV, waiters, 2, 0, NULL, CLOCK_MONOTONIC));
    waiters[1].uaddr = (uintptr_t)&words[1];
    for (long which = 0; which < 3; which++) {
        pthread_t thread;
        memset(words, 0, sizeof words);
        ready = 0;
        CHECK(pthread_create(&thread, NULL, waker, (void *)which) == 0);
        ready = 1;
        SHOW(syscall(WAITV, waiters, 3, 0, NULL, CLOCK_MONOTONIC));
        CHECK(pthread_join(thread, NULL) == 0);
    }

    memset(words, 0, sizeof words);
    SHOW(syscall(WAKE, &words[0], ~0UL, 1, SIZE_U32 | PRIVATE));
    SHOW(syscall(WAKE, &words[0], 1UL << 32, 1, SIZE_U32));
    SHOW(syscall(WAKE, &words[0], 0, 1, SIZE_U32));
    SHOW(syscall(WAKE, &words[0], 1, 1, 0x100));
    SHOW(syscall(WAKE, &words[0], 1, 1, 3));
    SHOW(syscall(WAKE, 8, 1, 1, SIZE_U32));
    SHOW(syscall(WAKE, (char *)words + 2, 1, 1, SIZE_U32));
    SHOW(syscall(WAIT, &words[0], 1, 1, SIZE_U32 | PRIVATE, NULL, CLOCK_MONOTONIC));
    limit = soon(CLOCK_MONOTONIC);
    SHOW(syscall(WAIT, &words[0], 0, 1, SIZE_U32 | PRIVATE, &limit, CLOCK_MONOTONIC));
    SHOW(syscall(WAIT, &words[0], 0, 0, SIZE_U32 | PRIVATE, &limit, CLOCK_MONOTONIC));
    SHOW(syscall(WAIT, &words[0], 0, 1, SIZE_U32, &limit, 77));
    SHOW(syscall(REQUEUE, waiters, 0, 1, 1));
    waiters[0].val = 1;
    SHOW(syscall(REQUEUE, waiters, 0, 1, 1));
    waiters[0].val = 0;
    SHOW(syscall(REQUEUE, waiters, 1, 1, 1));
    SHOW(syscall(REQUEUE, waiters, 0, -1, 1));
    SHOW(syscall(REQUEUE, 8, 0, 1, 1));
    ready = 0;
    for (long which = 0; which < 2; which++) {
        pthread_t thread;
        memset(words, 0, sizeof words);
        ready = 0;
        CHECK(pthread_create(&thread, NULL, waker, (void *)which) == 0);
        ready = 1;
        SHOW(syscall(WAIT, &words[which], 0, 1, SIZE_U32 | PRIVATE, NULL, CLOCK_MONOTONIC));
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return 0;
}
