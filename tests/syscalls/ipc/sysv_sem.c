/* System V semaphores: blocking, atomic groups, time-outs, undo at exit, removal. */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/sem.h>

static int id;

static int change(int number, int by, int flags) {
    struct sembuf operation = {number, by, flags};
    return semop(id, &operation, 1);
}

int main(void) {
    id = semget(IPC_PRIVATE, 3, IPC_CREAT | 0600);
    CHECK(id >= 0);
    SHOW(semctl(id, 0, GETVAL));
    SHOW(semctl(id, 0, SETVAL, 2));
    SHOW(change(0, -1, 0));
    SHOW(change(0, -2, IPC_NOWAIT));
    struct sembuf both[2] = {{0, -1, 0}, {1, -1, IPC_NOWAIT}};
    SHOW(semop(id, both, 2));
    SHOW(semctl(id, 0, GETVAL));
    SHOW(change(0, 0, IPC_NOWAIT));
    struct timespec soon = {0, 20000000};
    struct sembuf down = {1, -1, 0};
    SHOW(semtimedop(id, &down, 1, &soon));

    pid_t child = fork();
    if (child == 0) {
        CHECK(change(1, -1, 0) == 0);
        CHECK(change(2, 5, SEM_UNDO) == 0);
        _exit(semctl(id, 2, GETVAL));
    }
    while (semctl(id, 1, GETNCNT) != 1)
        usleep(1000);
    SHOW(change(1, 1, 0));
    wait_and_show("child", child);
    SHOW(semctl(id, 2, GETVAL));

    child = fork();
    if (child == 0) {
        int result = change(1, -1, 0);
        printf("waiting: %d %s\n", result, errno_name(errno));
        fflush(stdout);
        _exit(0);
    }
    while (semctl(id, 1, GETNCNT) != 1)
        usleep(1000);
    int removed = semctl(id, 0, IPC_RMID); /* the child prints as soon as it is gone */
    wait_and_show("child", child);
    SHOW(removed);
    SHOW(change(0, 1, 0));
    SHOW(semget(IPC_PRIVATE, 0, 0600));
    return 0;
}
