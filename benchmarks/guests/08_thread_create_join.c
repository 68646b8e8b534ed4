/* question: thread create + join */
#include "bench.h"
#include <pthread.h>

static void *nothing(void *argument) {
    return argument;
}

static void once(void) {
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, nothing, NULL) == 0);
    REQUIRE(pthread_join(thread, NULL) == 0);
}

int main(void) {
    MEASURE(once());
}
