/* Mutexes and conditions: nothing lost between four producers and four consumers. */
// guest: cflags = -pthread
#include "guest.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static int queue[8], count;
static long produced, consumed, taken;

enum { EACH = 250 };

static void *producer(void *argument) {
    for (int i = 1; i <= EACH; i++) {
        pthread_mutex_lock(&lock);
        while (count == 8)
            pthread_cond_wait(&emptied, &lock);
        queue[count++] = i;
        produced += i;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

static void *consumer(void *argument) {
    for (int i = 1; i <= EACH; i++) {
        pthread_mutex_lock(&lock);
        while (count == 0)
            pthread_cond_wait(&filled, &lock);
        consumed += queue[--count];
        taken++;
        pthread_cond_broadcast(&emptied);
        pthread_mutex_unlock(&lock);
    }
    return argument;
}

int main(void) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        CHECK(pthread_create(&threads[i], NULL, i % 2 ? producer : consumer, NULL) == 0);
    for (int i = 0; i < 8; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    SHOW(taken);
    SHOW(produced == consumed);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000)
        until.tv_sec++, until.tv_nsec -= 1000000000;
    pthread_mutex_lock(&lock);
    SHOW(pthread_cond_timedwait(&filled, &lock, &until) == ETIMEDOUT);
    SHOW(pthread_mutex_trylock(&lock) == EBUSY);
    pthread_mutex_unlock(&lock);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_t checked;
    pthread_mutex_init(&checked, &attributes);
    SHOW(pthread_mutex_lock(&checked));
    SHOW(pthread_mutex_lock(&checked) == EDEADLK);
    SHOW(pthread_mutex_unlock(&checked));
    SHOW(pthread_mutex_unlock(&checked) == EPERM);
    return 0;
}
