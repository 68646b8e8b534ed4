// guest: user = root
/* /proc/sys/kernel/msg_next_id and msgmni: what a queue is called, and how many there may be. */
#include "guest.h"
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>

static void set(const char *name, const char *value) {
    char path[64];
    snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    printf("%s ", value);
    SHOW_OK(write(fd, value, strlen(value)));
    close(fd);
}

int main(void) {
    CHECK(unshare(CLONE_NEWIPC) == 0);
    set("msg_next_id", "327690");
    int first = SHOW(msgget(IPC_PRIVATE, 0600));
    set("msg_next_id", "327690");
    int second = SHOW(msgget(IPC_PRIVATE, 0600));
    set("msg_next_id", "-2");
    set("msg_next_id", "x");
    set("msgmni", "2");
    SHOW(msgget(IPC_PRIVATE, 0600));
    set("msgmni", "3");
    SHOW_OK(msgget(IPC_PRIVATE, 0600));
    SHOW(msgctl(first, IPC_RMID, NULL));
    SHOW(msgctl(second, IPC_RMID, NULL));
    return 0;
}
