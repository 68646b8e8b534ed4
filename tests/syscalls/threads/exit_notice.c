/* CLONE_CHILD_CLEARTID and its futex, set_tid_address, cancellation, thread names. */
// guest: cflags = -pthread
#include "guest.h"

static const char *cleaned = "nothing";

static void cleanup(void *argument) {
    cleaned = argument;
}

static void *cancelled(void *argument) {
    pthread_cleanup_push(cleanup, argument);
    for (;;)
        pause();
    pthread_cleanup_pop(0);
    return NULL;
}

static void *named(void *argument) {
    char name[17] = "";
    pthread_setname_np(pthread_self(), "renamed-thread");
    FILE *comm = fopen("/proc/thread-self/comm", "r");
    CHECK(comm && fgets(name, sizeof name, comm));
    printf("%s", name);
    fclose(comm);
    return argument;
}

int main(void) {
    pthread_t thread;
    void *result;
    SHOW(pthread_create(&thread, NULL, cancelled, "in pause"));
    usleep(10000);
    SHOW(pthread_cancel(thread));
    SHOW(pthread_join(thread, &result));
    SHOW(result == PTHREAD_CANCELED);
    puts(cleaned);
    SHOW(pthread_create(&thread, NULL, named, NULL));
    SHOW(pthread_join(thread, NULL));
    static int cleared = 1;
    SHOW(syscall(SYS_set_tid_address, &cleared) == gettid());
    SHOW(syscall(SYS_get_robust_list, 0, &result, (size_t[1]){0}));
    SHOW(syscall(SYS_set_robust_list, result, 5));
    return 0;
}
