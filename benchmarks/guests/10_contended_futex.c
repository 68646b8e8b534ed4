/* question: futex hand-over between two threads */
#include "bench.h"
#include <linux/futex.h>
#include <pthread.h>

static int turn;

static void take_turn(int me) {
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != me)
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, !me, NULL, NULL, 0);
    __atomic_store_n(&turn, !me, __ATOMIC_RELEASE);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *other(void *argument) {
    for (;;)
        take_turn(1);
    return argument;
}

int main(void) {
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, other, NULL) == 0);
    MEASURE(take_turn(0));
    exit(0);
}
