// guest: user = root
/* The settings of System V IPC: each IPC namespace has its own, and they are obeyed. */
#include "guest.h"

#include <limits.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static const char *path_of(const char *name) {
    static char path[64];
    snprintf(path, sizeof path, "/proc/sys/kernel/%s", name);
    return path;
}

static void set(const char *name, const char *value) {
    int fd = open(path_of(name), O_WRONLY);
    CHECK(fd >= 0);
    printf("%s = %s ", name, value);
    SHOW_OK(write(fd, value, strlen(value)));
    close(fd);
    show_file(path_of(name));
}

/* Print whether an object was made; its identifier differs from run to run. */
#define SHOW_OK_ID(expression)                                                                     \
    ({                                                                                            \
        errno = 0;                                                                                \
        int id_ = (expression);                                                                   \
        printf("%s: %s\n", #expression, id_ < 0 ? errno_name(errno) : "made");                    \
        id_;                                                                                      \
    })

static struct {
    long type;
    char text[64];
} message = {1, "text"};

static void messages(void) {
    int before = SHOW_OK_ID(msgget(IPC_PRIVATE, 0600));
    set("msgmax", "10");
    SHOW(msgsnd(before, &message, 10, IPC_NOWAIT));
    SHOW(msgsnd(before, &message, 11, IPC_NOWAIT));
    set("msgmnb", "20");
    int queue = SHOW_OK_ID(msgget(IPC_PRIVATE, 0600));
    struct msqid_ds status;
    SHOW(msgctl(queue, IPC_STAT, &status));
    printf("bytes %lu\n", status.msg_qbytes);
    SHOW(msgctl(before, IPC_STAT, &status));
    printf("bytes %lu\n", status.msg_qbytes);
    SHOW(msgsnd(queue, &message, 10, IPC_NOWAIT));
    SHOW(msgsnd(queue, &message, 10, IPC_NOWAIT));
    SHOW(msgsnd(queue, &message, 0, IPC_NOWAIT));
    SHOW(msgsnd(queue, &message, 1, IPC_NOWAIT));
    struct msginfo information;
    SHOW(msgctl(0, IPC_INFO, (struct msqid_ds *)&information));
    printf("%d %d %d %d %d\n", information.msgmax, information.msgmnb, information.msgmni,
           information.msgmap, information.msgtql);
    SHOW(msgctl(0, MSG_INFO, (struct msqid_ds *)&information));
    printf("%d %d %d\n", information.msgpool, information.msgmap, information.msgtql);
    set("msgmax", "-1");
    set("msgmnb", "2147483648");
    set("msgmni", "32769");
}

static void semaphores(void) {
    set("sem", "4 10 3 3");
    SHOW(semget(IPC_PRIVATE, 5, 0600));
    int first = SHOW_OK_ID(semget(IPC_PRIVATE, 4, 0600));
    int second = SHOW_OK_ID(semget(IPC_PRIVATE, 4, 0600));
    SHOW(semget(IPC_PRIVATE, 3, 0600));
    SHOW_OK(semget(IPC_PRIVATE, 2, 0600));
    SHOW(semget(IPC_PRIVATE, 0, 0600));
    struct sembuf operations[4] = {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, {3, 1, 0}};
    SHOW(semop(first, operations, 4));
    SHOW(semop(first, operations, 3));
    SHOW(semctl(second, 0, IPC_RMID));
    SHOW(semget(IPC_PRIVATE, 5, 0600));
    struct seminfo information;
    SHOW(semctl(0, 0, IPC_INFO, &information));
    printf("%d %d %d %d %d\n", information.semmni, information.semmns, information.semmsl,
           information.semopm, information.semvmx);
    SHOW(semctl(0, 0, SEM_INFO, &information));
    printf("%d %d\n", information.semusz, information.semaem);
    set("sem", "4 10 3 40000");
    set("sem", "5");
    set("sem", "6 x");
}

static void memory(void) {
    set("shmmax", "8192");
    SHOW(shmget(IPC_PRIVATE, 8193, 0600));
    int first = SHOW_OK_ID(shmget(IPC_PRIVATE, 8192, 0600));
    set("shmall", "5");
    int second = SHOW_OK_ID(shmget(IPC_PRIVATE, 8000, 0600));
    SHOW(shmget(IPC_PRIVATE, 4097, 0600));
    set("shmmni", "2");
    SHOW(shmget(IPC_PRIVATE, 100, 0600));
    struct shminfo information;
    SHOW(shmctl(0, IPC_INFO, (struct shmid_ds *)&information));
    printf("%lu %lu %lu %lu\n", information.shmmax, information.shmmin, information.shmmni,
           information.shmall);
    struct shm_info used;
    SHOW(shmctl(0, SHM_INFO, (struct shmid_ds *)&used));
    printf("%d %lu\n", used.used_ids, used.shm_tot);
    SHOW(shmctl(first, IPC_RMID, NULL));
    set("shm_rmid_forced", "2");
    /* What nobody has attached and whose maker is gone ends at once. */
    char *at = shmat(second, NULL, 0);
    CHECK(at != (void *)-1);
    pid_t child = fork();
    if (child == 0) {
        SHOW_OK_ID(shmget(4711, 100, IPC_CREAT | 0600));
        _exit(0);
    }
    wait_and_show("maker", child);
    SHOW_OK(shmget(4711, 0, 0));
    set("shm_rmid_forced", "1");
    SHOW_OK(shmget(4711, 0, 0));
    child = fork();
    if (child == 0) {
        SHOW_OK_ID(shmget(4712, 100, IPC_CREAT | 0600));
        _exit(0);
    }
    wait_and_show("maker", child);
    SHOW_OK(shmget(4712, 0, 0));
    struct shmid_ds status;
    SHOW(shmctl(second, IPC_STAT, &status));
    SHOW(shmdt(at));
    SHOW(shmctl(second, IPC_STAT, &status));
}

int main(void) {
    CHECK(unshare(CLONE_NEWIPC) == 0);
    messages();
    semaphores();
    memory();
    CHECK(unshare(CLONE_NEWIPC) == 0);
    static const char *const names[] = {"msgmax", "msgmnb", "msgmni", "sem", "shmmax",
                                        "shmall", "shmmni", "shm_rmid_forced", "auto_msgmni"};
    for (unsigned number = 0; number < sizeof names / sizeof *names; number++)
        show_file(path_of(names[number]));
    become_nobody();
    SHOW(open(path_of("msgmax"), O_WRONLY));
    return 0;
}
