/* Two threads that only compute: twice as fast on two CPUs. Prints nanoseconds. */
#include "../bench.h"
#include <pthread.h>

static void *compute(void *argument) {
    unsigned long value = (unsigned long)argument;
    for (long i = 0; i < 150000000; i++)
        value = value * 6364136223846793005u + 1442695040888963407u;
    return (void *)value;
}

int main(void) {
    pthread_t threads[2];
    double started = now();
    for (long i = 0; i < 2; i++)
        REQUIRE(pthread_create(&threads[i], NULL, compute, (void *)i) == 0);
    for (int i = 0; i < 2; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    printf("%.1f\n", (now() - started) * 1e9);
}
