/* A process-shared mutex and condition in shared memory, between parent and child. */
// guest: cflags = -pthread
#include "guest.h"
#include <semaphore.h>

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t turn;
    sem_t semaphore;
    int whose, rounds;
};

int main(void) {
    struct shared *shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    pthread_mutexattr_t mutex;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared->lock, &mutex);
    pthread_condattr_t condition;
    pthread_condattr_init(&condition);
    pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&shared->turn, &condition);
    sem_init(&shared->semaphore, 1, 0);
    pid_t child = fork();
    int me = child == 0;
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&shared->lock);
        while (shared->whose != me)
            pthread_cond_wait(&shared->turn, &shared->lock);
        shared->whose = !me;
        shared->rounds++;
        pthread_cond_signal(&shared->turn);
        pthread_mutex_unlock(&shared->lock);
    }
    if (child == 0) {
        sem_post(&shared->semaphore);
        _exit(0);
    }
    SHOW(sem_wait(&shared->semaphore));
    wait_and_show("child", child);
    SHOW(shared->rounds);
    child = fork(); /* a robust mutex tells that its owner died */
    if (child == 0) {
        pthread_mutex_lock(&shared->lock);
        _exit(1);
    }
    wait_and_show("owner", child);
    SHOW(pthread_mutex_lock(&shared->lock) == EOWNERDEAD);
    SHOW(pthread_mutex_consistent(&shared->lock));
    SHOW(pthread_mutex_unlock(&shared->lock));
    SHOW(pthread_mutex_lock(&shared->lock));
    return 0;
}
