/* Threads: results, thread-local storage, ids, many at once, detached ones, errno of each. */
// guest: cflags = -pthread
#include "guest.h"

static _Thread_local int local = 5;
static volatile long sum;

static void *adds(void *argument) {
    local += (int)(long)argument;
    errno = (int)(long)argument;
    __atomic_add_fetch(&sum, local, __ATOMIC_SEQ_CST);
    return (void *)(long)(local * (errno == (int)(long)argument));
}

static void *identity(void *argument) {
    *(pid_t *)argument = gettid();
    return (void *)(long)(getpid() != gettid());
}

int main(void) {
    pthread_t threads[32];
    void *result;
    long total = 0;
    for (long i = 0; i < 32; i++)
        CHECK(pthread_create(&threads[i], NULL, adds, (void *)i) == 0);
    for (int i = 0; i < 32; i++) {
        CHECK(pthread_join(threads[i], &result) == 0);
        total += (long)result;
    }
    SHOW(sum);
    SHOW(total);
    SHOW(local);
    pid_t ids[2];
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, identity, &ids[i]) == 0);
        CHECK(pthread_join(threads[i], &result) == 0);
        SHOW((long)result);
    }
    SHOW(ids[0] != getpid() && ids[1] != getpid());
    SHOW(gettid() == getpid());
    for (int round = 0; round < 200; round++) {
        CHECK(pthread_create(&threads[0], NULL, adds, NULL) == 0);
        CHECK(pthread_join(threads[0], NULL) == 0);
    }
    SHOW(sum);
    return 0;
}
