/* FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI: waiters of a word become waiters of a lock. */
// guest: cflags = -pthread
#include "guest.h"
#include <linux/futex.h>

static uint32_t word, lock, other;
static volatile int ready, locked;
static pid_t main_thread;

static long futex(uint32_t *address, int operation, uint32_t value, void *timeout,
                  uint32_t *second, uint32_t third) {
    return syscall(SYS_futex, address, operation, value, timeout, second, third);
}

static void *waits(void *argument) {
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    long result = futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, argument, &lock, 0);
    if (result) {
        printf("waiter: %s\n", errno_name(errno));
        return NULL;
    }
    CHECK((lock & FUTEX_TID_MASK) == (uint32_t)gettid());
    __atomic_add_fetch(&locked, 1, __ATOMIC_SEQ_CST);
    CHECK(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    return NULL;
}

static void start(pthread_t *threads, int count) {
    ready = locked = 0;
    for (int i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i], NULL, waits, NULL) == 0);
    while (ready != count)
        usleep(1000);
    usleep(200000);
}

static void join(pthread_t *threads, int count) {
    for (int i = 0; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    SHOW(locked);
    SHOW(lock & FUTEX_TID_MASK);
}

static void handler(int number) {
    (void)number;
}

static void *waits_for_signal(void *argument) {
    (void)argument;
    ready = 1;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 1;
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &end, &lock, 0));
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    struct timespec past = {1, 0};
    main_thread = gettid();
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 1, NULL, &lock, 0));
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &word, 0));
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &past, &lock, 0));
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &past, &lock, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)9L, &lock, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)9L, &lock, 1));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, (void *)9L, &lock, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 0, (void *)9L, &lock, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)9L, &word, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)-1L, &lock, 0));
    start(threads, 3);
    SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_REQUEUE_PRIVATE, 0, (void *)1L, &other, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1L, &other, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)9L, &lock, 0));
    join(threads, 3);
    start(threads, 4);
    SHOW(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1L, &lock, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)9L, &lock, 0));
    SHOW(lock == ((uint32_t)main_thread | FUTEX_WAITERS));
    SHOW(locked);
    SHOW(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    join(threads, 4);
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    ready = 0;
    CHECK(pthread_create(&threads[0], NULL, waits_for_signal, NULL) == 0);
    while (!ready)
        usleep(1000);
    usleep(100000);
    CHECK(pthread_kill(threads[0], SIGUSR1) == 0);
    CHECK(pthread_join(threads[0], NULL) == 0);
    return 0;
}
