/* msgrcv(2) with MSG_COPY: a look at the message at a place. */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

int main(void) {
    struct {
        long kind;
        char text[32];
    } message = {7, "first"};
    int id = msgget(IPC_PRIVATE, 0600);
    CHECK(msgsnd(id, &message, 6, 0) == 0);
    message.kind = 9;
    strcpy(message.text, "second one");
    CHECK(msgsnd(id, &message, 11, 0) == 0);
    memset(&message, 0, sizeof message);
    SHOW(msgrcv(id, &message, 32, 1, MSG_COPY));
    SHOW(msgrcv(id, &message, 32, 1, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT));
    SHOW(msgrcv(id, &message, 32, 2, MSG_COPY | IPC_NOWAIT));
    SHOW(msgrcv(id, &message, 4, 1, MSG_COPY | IPC_NOWAIT));
    SHOW(msgrcv(id, &message, 4, 1, MSG_COPY | IPC_NOWAIT | MSG_NOERROR));
    SHOW(msgrcv(id, &message, 32, 1, MSG_COPY | IPC_NOWAIT));
    printf("%ld %s\n", message.kind, message.text);
    SHOW(msgrcv(id, &message, 32, 0, IPC_NOWAIT));
    printf("%ld %s\n", message.kind, message.text);
    SHOW(msgctl(id, IPC_RMID, NULL));
    return 0;
}
