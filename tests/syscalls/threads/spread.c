/* Threads that compute at the same time as others that make system calls all get done. */
// guest: cflags = -pthread
// guest: timeout = 60
#include "guest.h"

static void *computes(void *argument) {
    uint64_t value = (uint64_t)(long)argument;
    for (int i = 0; i < 20000000; i++)
        value = value * 6364136223846793005u + 1442695040888963407u;
    return (void *)(value >> 40);
}

static void *calls(void *argument) {
    long total = 0;
    for (int i = 0; i < 2000; i++)
        total += getppid() > -1;
    return argument ? (void *)total : NULL;
}

int main(void) {
    pthread_t threads[6];
    for (long i = 0; i < 6; i++)
        CHECK(pthread_create(&threads[i], NULL, i < 3 ? computes : calls, (void *)(i + 1)) == 0);
    for (int i = 0; i < 6; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0);
        printf("%ld\n", (long)result);
    }
    return 0;
}
