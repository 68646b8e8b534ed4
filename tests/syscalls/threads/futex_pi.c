/* Futexes with priority inheritance by futex(2) itself: the word, who gets the lock, errors. */
// guest: cflags = -pthread
#include "guest.h"
#include <linux/futex.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static uint32_t word, other, plain;
static pid_t main_thread;

static long futex(uint32_t *address, int operation, uint32_t value, void *timeout,
                  uint32_t *second, uint32_t third) {
    return syscall(SYS_futex, address, operation, value, timeout, second, third);
}

/* The word, with thread ids told by name. */
static void show_word(const char *what, uint32_t value) {
    uint32_t owner = value & FUTEX_TID_MASK;
    printf("%s:%s%s %s\n", what, value & FUTEX_WAITERS ? " waiters" : "",
           value & FUTEX_OWNER_DIED ? " died" : "",
           owner == 0                       ? "free"
           : owner == (uint32_t)main_thread ? "main"
           : owner == (uint32_t)gettid()    ? "self"
                                            : "another");
}

static bool has_waiters(void) {
    return __atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS;
}

static void *locks(void *argument) {
    CHECK(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    show_word("thread has it", word);
    CHECK(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    return argument;
}

static void *dies(void *argument) {
    (void)argument;
    word = gettid();
    while (!has_waiters())
        usleep(1000);
    usleep(30000);
    return NULL;
}

static void *fails(void *argument) {
    (void)argument;
    struct timespec soon, past = {1, 0}, bad = {0, 1000000000};
    SHOW(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &past, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &bad, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0));
    clock_gettime(CLOCK_MONOTONIC, &soon);
    soon.tv_sec++;
    SHOW(futex(&word, FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG, 0, &soon, NULL, 0));
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec = 0;
    soon.tv_sec++;
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &soon, NULL, 0));
    show_word("still", word);
    return NULL;
}

static void run(void *(*function)(void *)) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, function, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void alone(void) {
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show_word("locked", word);
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show_word("unlocked", word);
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show_word("tried", word);
    word = FUTEX_OWNER_DIED;
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show_word("of the dead", word);
    word = 0x3ffffff0;
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(word == (0x3ffffff0 | FUTEX_WAITERS));
    SHOW(futex((uint32_t *)8, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex((uint32_t *)8, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    static const uint32_t constant = 0;
    SHOW(futex((uint32_t *)&constant, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex((uint32_t *)&constant, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    uint32_t operation = FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0);
    SHOW(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1L, (uint32_t *)&constant, operation));
}

static void handed_over(void) {
    pthread_t threads[3];
    word = main_thread;
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, locks, NULL) == 0);
    while (!has_waiters())
        usleep(1000);
    usleep(100000);
    SHOW(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1L, &other, word));
    SHOW(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    CHECK(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    show_word("at last", word);
}

static volatile int woken;

static void *waits(void *argument) {
    CHECK(futex(&plain, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == 0);
    woken = 1;
    return argument;
}

static void mixed_up(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, waits, NULL) == 0);
    usleep(100000);
    SHOW(futex(&plain, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    plain = main_thread;
    SHOW(futex(&plain, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SHOW(futex(&plain, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1L, &other, main_thread));
    SHOW(futex(&plain, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void) {
    main_thread = gettid();
    alone();
    word = main_thread;
    run(fails);
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show_word("given back", word);
    handed_over();
    pthread_t thread;
    word = 1;
    CHECK(pthread_create(&thread, NULL, dies, NULL) == 0);
    while (word == 1)
        usleep(1000);
    SHOW(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    show_word("inherited", word);
    CHECK(pthread_join(thread, NULL) == 0);
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    mixed_up();
    return 0;
}
