/* futex(2): operations that are refused, PI locks by hand, deadlocks, robust lists. */
// guest: cflags = -pthread
#include "guest.h"
#include <linux/futex.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static uint32_t word, other;

static long futex(uint32_t *address, int operation, uint32_t value, const void *timeout,
                  uint32_t *second, uint32_t third) {
    return syscall(SYS_futex, address, operation, value, timeout, second, third);
}

static void pi(void) {
    struct timespec limit;
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SHOW(word == (uint32_t)gettid());
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    SHOW(word);
    SHOW(futex(&word, FUTEX_LOCK_PI2 | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    word = 99999999; /* nobody */
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    word = FUTEX_OWNER_DIED;
    SHOW(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    SHOW((word & FUTEX_TID_MASK) == (uint32_t)gettid());
    SHOW((word & FUTEX_OWNER_DIED) != 0);
    SHOW(futex(&word, FUTEX_WAIT, word, &(struct timespec){0, 1000}, NULL, 0));
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    word = child;
    clock_gettime(CLOCK_REALTIME, &limit);
    SHOW(futex(&word, FUTEX_LOCK_PI, 0, &limit, NULL, 0));
    SHOW((word & FUTEX_TID_MASK) == (uint32_t)child);
    SHOW(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    clock_gettime(CLOCK_MONOTONIC, &limit);
    SHOW(futex(&word, FUTEX_LOCK_PI2, 0, &limit, NULL, 0));
    CHECK(kill(child, SIGKILL) == 0);
    wait_and_show("owner", child);
    SHOW(futex((uint32_t *)8, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex((uint32_t *)((char *)&word + 1), FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI, 2, NULL, &other, 0));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE_PI, 1, NULL, &word, word));
    SHOW(futex(&word, FUTEX_WAIT_REQUEUE_PI, word, NULL, &word, 0));
}

static pthread_mutex_t first, second;
static pthread_barrier_t both;
static int result_of_thread;

static void *locks_crosswise(void *unused) {
    pthread_mutex_lock(&second);
    pthread_barrier_wait(&both);
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20;
    result_of_thread = pthread_mutex_timedlock(&first, &limit);
    if (result_of_thread == 0)
        pthread_mutex_unlock(&first);
    pthread_mutex_unlock(&second);
    return unused;
}

/* Two locks in both orders: the second one to come is told. */
static void deadlock(void) {
    pthread_mutexattr_t kind;
    pthread_t thread;
    CHECK(pthread_mutexattr_init(&kind) == 0);
    CHECK(pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT) == 0);
    CHECK(pthread_mutex_init(&first, &kind) == 0 && pthread_mutex_init(&second, &kind) == 0);
    CHECK(pthread_barrier_init(&both, NULL, 2) == 0);
    CHECK(pthread_mutex_lock(&first) == 0);
    CHECK(pthread_create(&thread, NULL, locks_crosswise, NULL) == 0);
    pthread_barrier_wait(&both);
    usleep(200000);
    uint32_t *lock = (uint32_t *)&second;
    SHOW(futex(lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    CHECK(pthread_mutex_unlock(&first) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    SHOW(result_of_thread);
}

static void others(void) {
    struct timespec bad = {0, 1000000000}, soon = {0, 1000};
    SHOW(futex(&word, FUTEX_FD, 0, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, word + 1, &soon, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, word, &bad, NULL, 0));
    SHOW(futex(&word, FUTEX_WAIT, word, (void *)8, NULL, 0));
    SHOW(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
    SHOW(futex(&word, FUTEX_REQUEUE, 0, (void *)-1L, &other, 0));
    SHOW(futex(&word, FUTEX_REQUEUE, -1, NULL, &other, 0));
    SHOW(futex(&word, FUTEX_REQUEUE, 0, NULL, (uint32_t *)8, 0));
    other = 7;
    for (int kind = 0; kind < 6; kind++) {
        SHOW(futex(&word, FUTEX_WAKE_OP, 0, NULL, &other,
                   FUTEX_OP(kind, 3, FUTEX_OP_CMP_GE, 5)));
        SHOW(other);
    }
    SHOW(futex(&word, FUTEX_WAKE_OP, 0, NULL, &other, FUTEX_OP(FUTEX_OP_SET, 3, 9, 5)));
    SHOW(futex(&word, FUTEX_WAKE_OP, 0, NULL, &other,
               FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_EQ, 5)));
    SHOW(other);
    SHOW(futex(&word, FUTEX_WAKE_OP, 0, NULL, (uint32_t *)8, 0));
    void *head;
    size_t size;
    SHOW(syscall(SYS_set_robust_list, &head, 5));
    SHOW(syscall(SYS_get_robust_list, 0, &head, &size));
    SHOW(size);
    SHOW(syscall(SYS_get_robust_list, 99999999, &head, &size));
    SHOW(syscall(SYS_get_robust_list, 0, 8, &size));
    SHOW(syscall(SYS_get_robust_list, 0, &head, 8));
}

/* A robust list of our own, which ends in a circle, in the void, or well. */
static struct {
    struct robust_list_head head;
    struct robust_list entry;
    uint32_t lock;
} *shared;

static void robust(const char *what, void *next) {
    shared->head.list.next = &shared->entry;
    shared->head.futex_offset = (char *)&shared->lock - (char *)&shared->entry;
    shared->head.list_op_pending = NULL;
    shared->entry.next = next;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        shared->lock = gettid() | FUTEX_WAITERS;
        CHECK(syscall(SYS_set_robust_list, &shared->head, sizeof shared->head) == 0);
        _exit(0);
    }
    wait_and_show(what, child);
    printf("%s: %x\n", what, shared->lock);
}

int main(void) {
    pi();
    deadlock();
    others();
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    robust("well", &shared->head);
    robust("circle", &shared->entry);
    robust("void", (void *)8);
    return 0;
}
