/* Which thread gets a signal: one that does not block it; tgkill names one; masks are per thread. */
// guest: cflags = -pthread
#include "guest.h"

static pthread_t threads[3];
static int blocks[3] = {1, 0, 1};
static volatile int got[3];
static _Thread_local int self;
static pthread_barrier_t ready;

static void handler(int number) {
    (void)number;
    got[self]++;
}

static void *thread_main(void *argument) {
    self = (int)(long)argument;
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    pthread_sigmask(blocks[self] ? SIG_BLOCK : SIG_UNBLOCK, &mask, NULL);
    pthread_barrier_wait(&ready);
    while (!got[self])
        usleep(1000);
    pthread_barrier_wait(&ready);
    return NULL;
}

int main(void) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(sigaction(SIGUSR2, &action, NULL) == 0);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &mask, NULL) == 0);
    pthread_barrier_init(&ready, NULL, 4);
    for (long i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_main, (void *)i) == 0);
    pthread_barrier_wait(&ready);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    while (!got[1])
        usleep(1000);
    printf("%d %d %d\n", got[0], got[1], got[2]);
    CHECK(pthread_kill(threads[0], SIGUSR2) == 0);
    CHECK(pthread_kill(threads[2], SIGUSR2) == 0);
    pthread_barrier_wait(&ready);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    printf("%d %d %d\n", got[0], got[1], got[2]);
    return 0;
}
