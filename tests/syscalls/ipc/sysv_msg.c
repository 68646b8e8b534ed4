/* System V message queues: selection by type, limits, blocking, truncation, removal. */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
    long kind;
    char text[100];
};

static int id;

static void put(long kind, const char *text) {
    struct message message = {.kind = kind};
    strcpy(message.text, text);
    SHOW(msgsnd(id, &message, strlen(text) + 1, 0));
}

static void take(long kind, size_t size, int flags) {
    struct message message = {0};
    SHOW(msgrcv(id, &message, size, kind, flags));
    printf("kind %ld text %s\n", message.kind, message.text);
}

int main(void) {
    id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    CHECK(id >= 0);
    put(3, "three");
    put(1, "one");
    put(2, "two");
    put(3, "three again");
    struct msqid_ds status;
    SHOW(msgctl(id, IPC_STAT, &status));
    printf("messages %lu bytes %lu limit %lu\n", status.msg_qnum, status.__msg_cbytes,
           status.msg_qbytes);
    take(2, 100, 0);
    take(-2, 100, 0);
    take(3, 100, MSG_EXCEPT | IPC_NOWAIT);
    take(0, 3, 0);
    take(0, 3, MSG_NOERROR);
    take(0, 100, 0);
    take(0, 100, IPC_NOWAIT);
    struct message message = {.kind = 0};
    SHOW(msgsnd(id, &message, 1, 0));
    message.kind = 1;
    SHOW(msgsnd(id, &message, 100000, 0));

    pid_t child = fork();
    if (child == 0) {
        take(7, 100, 0);
        int result = (int)msgrcv(id, &message, 100, 8, 0);
        printf("waiting: %d %s\n", result, errno_name(errno));
        fflush(stdout);
        _exit(0);
    }
    usleep(20000);
    put(7, "for the child");
    while (msgctl(id, IPC_STAT, &status) == 0 && status.msg_qnum)
        usleep(1000);
    usleep(20000);
    /* Not shown: the child prints now, too. */
    CHECK(msgctl(id, IPC_RMID, NULL) == 0);
    wait_and_show("child", child);
    SHOW(msgctl(id, IPC_STAT, &status));
    return 0;
}
