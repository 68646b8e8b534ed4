/* futex(2) itself: wrong value, timeouts, counts of wake and requeue, faults, bitsets. */
// guest: cflags = -pthread
#include "guest.h"
#include <linux/futex.h>

static uint32_t word, other;

static long futex(uint32_t *address, int operation, uint32_t value, void *timeout,
                  uint32_t *second, uint32_t third) {
    return syscall(SYS_futex, address, operation, value, timeout, second, third);
}

static volatile int waiting, woken;

static void *waits(void *bits) {
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    CHECK(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t)(long)bits) == 0);
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void settle(volatile int *counter, int value) {
    while (*counter != value)
        usleep(1000);
    usleep(30000);
}

int main(void) {
    struct timespec soon = {0, 10000000}, bad = {0, -1};
    SHOW(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, 0, &soon, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0));
    SHOW(futex((uint32_t *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
    SHOW(futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT_BITSET, 0, &soon, NULL, 0));
    SHOW(futex(&word, 99, 0, NULL, NULL, 0));
    struct timespec past = {1, 0};
    SHOW(futex(&word, FUTEX_WAIT_BITSET, 0, &past, NULL, ~0U));
    pthread_t threads[5];
    for (int i = 0; i < 5; i++)
        CHECK(pthread_create(&threads[i], NULL, waits, (void *)(i < 2 ? 1L : 2L)) == 0);
    settle(&waiting, 5);
    SHOW(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 1));
    settle(&woken, 2);
    SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    settle(&woken, 3);
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)5L, &other, 1));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)5L, &other, 0));
    SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    SHOW(futex(&other, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    for (int i = 0; i < 5; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    SHOW(woken);
    uint32_t operation = FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0);
    SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1L, &other, operation));
    SHOW(other);
    return 0;
}
