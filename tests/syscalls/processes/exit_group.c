/* exit_group(2) ends all threads; the last thread's exit(2) ends the process; a leader may go. */
// guest: cflags = -pthread
#include "guest.h"

static void *endless(void *argument) {
    for (volatile long i = 0;; i++)
        if (argument && i % 1000000 == 0)
            usleep(1);
    return NULL;
}

static void *exits_process(void *argument) {
    usleep(10000);
    _exit((int)(long)argument);
}

static void *lingers(void *argument) {
    usleep(30000);
    puts("last one out");
    return argument;
}

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, endless, NULL);
        pthread_create(&thread, NULL, endless, "x");
        pthread_create(&thread, NULL, exits_process, (void *)21);
        for (;;)
            pause();
    }
    wait_and_show("group", child);
    child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, lingers, NULL);
        syscall(SYS_exit, 5);
    }
    wait_and_show("leader went first", child);
    child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, endless, "x");
        usleep(1000);
        kill(getpid(), SIGTERM);
        for (;;)
            pause();
    }
    wait_and_show("signalled", child);
    return 0;
}
