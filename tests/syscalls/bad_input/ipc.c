/* Bad arguments of calls on System V objects and POSIX queues. */
// guest: timeout = 60
// guest: kernel = 6.16
#include "bad_input.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static const struct { long type; char text[8]; } message = {1, "text"};
static struct sembuf operation = {0, 1, IPC_NOWAIT};

int main(void) {
    make_world();
    int queue = msgget(IPC_PRIVATE, 0600), set = semget(IPC_PRIVATE, 1, 0600);
    int segment = shmget(IPC_PRIVATE, 4096, 0600);
    const struct call calls[] = {
        CALL(msgget, FIXED(0x7001), FIXED(0)),
        CALL_WITH(message, msgsnd, FIXED(queue), BUFFER, LENGTH(4), FLAGS(IPC_NOWAIT)),
        CALL(msgctl, FIXED(queue), FIXED(1000), BUFFER),
        CALL(msgrcv, FIXED(queue), BUFFER, FIXED(8), NUMBER(0), FLAGS(IPC_NOWAIT)),
        CALL(msgctl, FIXED(queue), FIXED(IPC_STAT), BUFFER),
        CALL(semget, FIXED(0x7001), NUMBER(1), FIXED(0)),
        CALL(semget, FIXED(IPC_PRIVATE), NUMBER(1), FIXED(0600)),
        CALL_WITH(operation, semop, FIXED(set), BUFFER, LENGTH(1)),
        CALL_WITH(operation, semop, FIXED(-1), BUFFER, FIXED(1)),
        CALL_WITH(operation, semtimedop, FIXED(set), BUFFER, FIXED(1), BUFFER),
        CALL(semctl, FIXED(set), NUMBER(0), FIXED(GETVAL)),
        CALL(semctl, FIXED(set), FIXED(0), FIXED(1000)),
        CALL(semctl, FIXED(set), FIXED(0), FIXED(SETVAL), NUMBER(1)),
        CALL(semctl, FIXED(set), FIXED(0), FIXED(GETALL), BUFFER),
        CALL(semctl, FIXED(set), FIXED(0), FIXED(SETALL), BUFFER),
        CALL(semctl, FIXED(set), FIXED(0), FIXED(IPC_STAT), BUFFER),
        CALL(shmget, FIXED(0x7001), NUMBER(4096), FIXED(0)),
        CALL(shmget, FIXED(IPC_PRIVATE), NUMBER(4096), FIXED(0600)),
        CALL(shmat, FIXED(segment), FIXED(0), FLAGS(0)),
        CALL(shmat, FIXED(segment), FIXED(1), FLAGS(0)),
        CALL(shmdt, BUFFER),
        CALL(shmctl, FIXED(segment), FIXED(IPC_STAT), BUFFER),
        CALL(shmctl, FIXED(segment), FIXED(IPC_SET), BUFFER),
        CALL(mq_open, NAME("absent"), FLAGS(O_RDONLY), FIXED(0600), BUFFER),
        CALL(mq_unlink, NAME("absent")),
        CALL(mq_timedsend, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(4), NUMBER(1), BUFFER),
        CALL(mq_timedreceive, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(4), BUFFER, BUFFER),
        CALL(mq_notify, DESCRIPTOR(FILE_FD), BUFFER),
        CALL(mq_getsetattr, DESCRIPTOR(FILE_FD), BUFFER, BUFFER),
    };
    TRY_ALL(calls, false);
    msgctl(queue, IPC_RMID, NULL);
    semctl(set, 0, IPC_RMID);
    shmctl(segment, IPC_RMID, NULL);
    return 0;
}
