/* The C library's mutexes with PTHREAD_PRIO_INHERIT: counting, conditions, robust, shared. */
// guest: cflags = -pthread
// guest: timeout = 40
#include "guest.h"

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    long count;
    int turn;
};

static struct shared *shared;

static void make(bool robust, bool between_processes) {
    pthread_mutexattr_t attributes;
    pthread_condattr_t condition;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    pthread_mutexattr_init(&attributes);
    pthread_condattr_init(&condition);
    pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    pthread_mutexattr_setrobust(&attributes, robust ? PTHREAD_MUTEX_ROBUST : PTHREAD_MUTEX_STALLED);
    int scope = between_processes ? PTHREAD_PROCESS_SHARED : PTHREAD_PROCESS_PRIVATE;
    pthread_mutexattr_setpshared(&attributes, scope);
    pthread_condattr_setpshared(&condition, scope);
    CHECK(pthread_mutex_init(&shared->mutex, &attributes) == 0);
    CHECK(pthread_cond_init(&shared->condition, &condition) == 0);
}

static void *counts(void *argument) {
    for (int i = 0; i < 3000; i++) {
        CHECK(pthread_mutex_lock(&shared->mutex) == 0);
        long count = shared->count;
        if (i % 64 == 0)
            sched_yield();
        shared->count = count + 1;
        CHECK(pthread_mutex_unlock(&shared->mutex) == 0);
    }
    return argument;
}

static void *takes_turns(void *argument) {
    int mine = (int)(long)argument;
    CHECK(pthread_mutex_lock(&shared->mutex) == 0);
    for (int i = 0; i < 100; i++) {
        while (shared->turn % 3 != mine)
            CHECK(pthread_cond_wait(&shared->condition, &shared->mutex) == 0);
        shared->turn++;
        CHECK(pthread_cond_broadcast(&shared->condition) == 0);
    }
    CHECK(pthread_mutex_unlock(&shared->mutex) == 0);
    return NULL;
}

static void *locks_and_ends(void *argument) {
    CHECK(pthread_mutex_lock(&shared->mutex) == 0);
    shared->turn = 1;
    usleep(100000);
    return argument;
}

static void with_threads(void *(*function)(void *), int count) {
    pthread_t threads[8];
    for (int i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i], NULL, function, (void *)(long)i) == 0);
    for (int i = 0; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static const char *name(int error) {
    return errno_name(error);
}

static void inherit_from_the_dead(const char *what) {
    printf("%s: %s\n", what, name(pthread_mutex_lock(&shared->mutex)));
    printf("consistent: %s\n", name(pthread_mutex_consistent(&shared->mutex)));
    printf("unlock: %s\n", name(pthread_mutex_unlock(&shared->mutex)));
    printf("lock: %s\n", name(pthread_mutex_lock(&shared->mutex)));
    printf("unlock: %s\n", name(pthread_mutex_unlock(&shared->mutex)));
}

int main(void) {
    make(false, false);
    with_threads(counts, 4);
    SHOW(shared->count);
    with_threads(takes_turns, 3);
    SHOW(shared->turn);
    struct timespec past = {1, 0};
    CHECK(pthread_mutex_lock(&shared->mutex) == 0);
    printf("lock again: %s\n", name(pthread_mutex_timedlock(&shared->mutex, &past)));
    printf("trylock: %s\n", name(pthread_mutex_trylock(&shared->mutex)));

    make(true, false);
    with_threads(locks_and_ends, 1);
    inherit_from_the_dead("after its end");
    pthread_t thread;
    shared->turn = 0;
    CHECK(pthread_create(&thread, NULL, locks_and_ends, NULL) == 0);
    while (!*(volatile int *)&shared->turn)
        usleep(1000);
    inherit_from_the_dead("while waiting");
    CHECK(pthread_join(thread, NULL) == 0);

    make(true, true);
    pid_t child = fork();
    if (child == 0) {
        counts(NULL);
        while (*(volatile long *)&shared->count != 6000)
            usleep(1000);
        CHECK(pthread_mutex_lock(&shared->mutex) == 0);
        shared->turn = 1;
        usleep(100000);
        kill(getpid(), SIGKILL);
    }
    counts(NULL);
    while (!*(volatile int *)&shared->turn)
        usleep(1000);
    inherit_from_the_dead("of a killed process");
    wait_and_show("child", child);
    SHOW(shared->count);
    return 0;
}
