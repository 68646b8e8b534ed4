/* exec in a thread that is not the first: the other threads go, the process keeps its id. */
// guest: cflags = -pthread
#include "guest.h"

static pid_t before;

static void *sleeper(void *argument) {
    pause();
    return argument;
}

static void *executor(void *argument) {
    char id[16];
    sprintf(id, "%d", before);
    execl("/proc/self/exe", "again", id, NULL);
    return argument;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        printf("pid %s\n", atoi(argv[1]) == getpid() ? "same" : "other");
        printf("tid %s\n", gettid() == getpid() ? "leader" : "other");
        return 0;
    }
    before = getpid();
    pthread_t threads[3];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, sleeper, NULL) == 0);
    CHECK(pthread_create(&threads[2], NULL, executor, NULL) == 0);
    pause();
    return 1;
}
