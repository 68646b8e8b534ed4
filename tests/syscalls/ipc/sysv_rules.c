/* sysvipc(7): removal while in use, undoing, who waits, special messages, the files of /proc. */
// guest: user = root
// guest: timeout = 30
#include "guest.h"

#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

union semun {
    int value;
    struct semid_ds *status;
    unsigned short *values;
};

static int ends[2];

static void wait_until_asleep(pid_t child) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    for (;;) {
        int fd = open(path, O_RDONLY);
        ssize_t size = read(fd, text, sizeof text - 1);
        close(fd);
        CHECK(size > 0);
        text[size] = 0;
        if (strrchr(text, ')')[2] == 'S')
            return;
        usleep(1000);
    }
}

static pid_t start(void (*part)(int), int identifier) {
    pid_t child = fork();
    if (child == 0) {
        part(identifier);
        _exit(0);
    }
    return child;
}

static void show_values(int set) {
    unsigned short values[3] = {9, 9, 9};
    CHECK(semctl(set, 0, GETALL, (union semun){.values = values}) == 0);
    printf("values %d %d %d, waiting %d %d, zero %d\n", values[0], values[1], values[2],
           semctl(set, 0, GETNCNT), semctl(set, 1, GETNCNT), semctl(set, 1, GETZCNT));
}

static int operate(int set, int number, int change, int flags) {
    struct sembuf operation = {(unsigned short)number, (short)change, (short)flags};
    return semop(set, &operation, 1);
}

static void take_both(int set) {
    struct sembuf operations[2] = {{0, -1, SEM_UNDO}, {1, -1, SEM_UNDO}};
    SHOW(semop(set, operations, 2));
}

static void wait_for_zero(int set) {
    SHOW(operate(set, 1, 0, 0));
}

static void undo_over_exec(int set) {
    SHOW(operate(set, 2, 5, SEM_UNDO));
    SHOW(operate(set, 2, -1, 0));
    execl("/bin/true", "true", NULL);
}

static void semaphores(void) {
    int set = semget(IPC_PRIVATE, 3, 0600);
    CHECK(set >= 0);
    SHOW(semctl(set, 0, SETALL, (union semun){.values = (unsigned short[]){0, 1, 2}}));
    pid_t taker = start(take_both, set);
    wait_until_asleep(taker);
    pid_t zero = start(wait_for_zero, set);
    wait_until_asleep(zero);
    show_values(set);
    CHECK(operate(set, 1, -1, IPC_NOWAIT) == 0);
    CHECK(waitpid(zero, NULL, 0) == zero);
    show_values(set);
    SHOW(operate(set, 1, 1, 0));
    CHECK(operate(set, 0, 1, 0) == 0);
    CHECK(waitpid(taker, NULL, 0) == taker);
    show_values(set);
    SHOW(semctl(set, 0, GETPID) == taker);
    SHOW(operate(set, 0, 32767, 0));
    SHOW(operate(set, 3, 1, 0));
    SHOW(semctl(set, 0, SETVAL, (union semun){.value = 40000}));
    SHOW(semctl(set, 5, GETVAL));
    pid_t child = start(undo_over_exec, set);
    CHECK(waitpid(child, NULL, 0) == child);
    show_values(set);
    /* What is owed is forgotten when the value is set. */
    child = fork();
    if (child == 0) {
        CHECK(operate(set, 2, 7, SEM_UNDO) == 0);
        CHECK(semctl(set, 2, SETVAL, (union semun){.value = 3}) == 0);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    show_values(set);
    struct timespec timeout = {0, 20000000}, bad = {0, -1};
    struct sembuf operation = {0, -100, 0};
    SHOW(semtimedop(set, &operation, 1, &timeout));
    SHOW(semtimedop(set, &operation, 1, &bad));
    SHOW(semop(set, &operation, 0));
    child = start(take_both, set);
    CHECK(semctl(set, 0, SETVAL, (union semun){.value = 0}) == 0);
    wait_until_asleep(child);
    CHECK(semctl(set, 0, IPC_RMID) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    SHOW(semctl(set, 0, GETVAL));
}

static void receive_there(int queue) {
    char buffer[100];
    SHOW(msgrcv(queue, buffer, 80, 5, 0));
}

static void send_there(int queue) {
    struct {
        long type;
        char text[100];
    } message = {1, "x"};
    SHOW(msgsnd(queue, &message, 100, 0));
}

static void messages(void) {
    struct {
        long type;
        char text[100];
    } message = {1, "one"};
    int queue = msgget(IPC_PRIVATE, 0600);
    CHECK(queue >= 0);
    for (int type = 1; type <= 4; type++) {
        message.type = type;
        message.text[0] = (char)('0' + type);
        CHECK(msgsnd(queue, &message, (size_t)type * 10, 0) == 0);
    }
    message.type = 0;
    SHOW(msgsnd(queue, &message, 1, 0));
    message.type = -1;
    SHOW(msgsnd(queue, &message, 1, 0));
    SHOW(msgrcv(queue, &message, 100, 3, MSG_COPY | IPC_NOWAIT));
    printf("type %ld %c\n", message.type, message.text[0]);
    SHOW(msgrcv(queue, &message, 100, 9, MSG_COPY | IPC_NOWAIT));
    SHOW(msgrcv(queue, &message, 100, 0, MSG_COPY));
    SHOW(msgrcv(queue, &message, 5, 1, 0));
    SHOW(msgrcv(queue, &message, 5, 1, MSG_NOERROR));
    SHOW(msgrcv(queue, &message, 100, 2, MSG_EXCEPT));
    printf("type %ld\n", message.type);
    SHOW(msgrcv(queue, &message, 100, -3, 0));
    printf("type %ld\n", message.type);
    SHOW(msgrcv(queue, &message, 100, 7, IPC_NOWAIT));
    SHOW(msgrcv(queue, &message, (size_t)-1, 0, IPC_NOWAIT));
    struct msqid_ds status;
    SHOW(msgctl(queue, IPC_STAT, &status));
    printf("%lu messages, %lu bytes, sent by me %d\n", status.msg_qnum, status.__msg_cbytes,
           status.msg_lspid == getpid());
    status.msg_qbytes = 100;
    SHOW(msgctl(queue, IPC_SET, &status));
    pid_t sender = start(send_there, queue);
    wait_until_asleep(sender);
    CHECK(msgrcv(queue, &message, 100, 4, 0) == 40);
    CHECK(waitpid(sender, NULL, 0) == sender);
    pid_t child = start(receive_there, queue);
    wait_until_asleep(child);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    SHOW(msgsnd(queue, &message, 1, 0));
}

static void shared_memory(void) {
    struct shmid_ds status;
    int segment = shmget(4711, 5000, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(segment >= 0);
    SHOW(shmget(4711, 5000, IPC_CREAT | IPC_EXCL | 0640));
    SHOW(shmget(4711, 5001, 0));
    SHOW(shmget(4712, 0, IPC_CREAT));
    SHOW(shmget(4712, 10, 0));
    char *first = shmat(segment, NULL, 0);
    char *second = shmat(segment, NULL, SHM_RDONLY);
    CHECK(first != (void *)-1 && second != (void *)-1);
    strcpy(first, "shared");
    printf("%s\n", second);
    SHOW_OK((intptr_t)shmat(segment, first + 1, 0));
    SHOW_OK((intptr_t)shmat(segment, first, 0));
    printf("remapped %d\n", shmat(segment, second + 100, SHM_RND | SHM_REMAP) == second);
    second[0] = 'S';
    printf("%s\n", first);
    SHOW_OK((intptr_t)shmat(segment, NULL, SHM_REMAP));
    char *code = shmat(segment, NULL, SHM_EXEC);
    code[0] = (char)0xC3;
    ((void (*)(void))code)();
    SHOW(shmdt(code));
    char *unmapped = shmat(segment, NULL, 0);
    SHOW(munmap(unmapped, 8192));
    SHOW(shmdt(first + 4096));
    SHOW(shmctl(segment, IPC_STAT, &status));
    printf("size %zu attached %lu mode %o by me %d %d\n", status.shm_segsz, status.shm_nattch,
           status.shm_perm.mode, status.shm_cpid == getpid(), status.shm_lpid == getpid());
    pid_t child = fork();
    if (child == 0) {
        CHECK(shmctl(segment, IPC_STAT, &status) == 0);
        printf("in child: attached %lu\n", status.shm_nattch);
        execl("/bin/true", "true", NULL);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    SHOW(shmctl(segment, SHM_LOCK, NULL));
    SHOW(shmctl(segment, IPC_RMID, NULL));
    SHOW(shmget(4711, 0, 0));
    SHOW(shmctl(segment, IPC_STAT, &status));
    printf("attached %lu mode %o key %d\n", status.shm_nattch, status.shm_perm.mode,
           status.shm_perm.__key);
    char *third = shmat(segment, NULL, 0);
    printf("attached again %d\n", third != (void *)-1);
    SHOW(shmdt(third));
    SHOW(shmdt(second));
    SHOW(shmdt(first));
    SHOW(shmctl(segment, IPC_STAT, &status));
    SHOW_OK((intptr_t)shmat(segment, NULL, 0));
}

/* Lines of a file of /proc/sysvipc, without numbers that differ: key, permissions, owners, use. */
static void show_list(const char *name) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/sysvipc/%s", name);
    FILE *file = fopen(path, "r");
    CHECK(file && fgets(line, sizeof line, file));
    printf("%s", line);
    while (fgets(line, sizeof line, file)) {
        int width = (int)strlen(line);
        long key, identifier, fields[6];
        int count = sscanf(line, "%ld %ld %lo %ld %ld %ld %ld %ld", &key, &identifier, &fields[0],
                           &fields[1], &fields[2], &fields[3], &fields[4], &fields[5]);
        printf("%s: width %d, %d fields, key %ld mode %lo size %ld\n", name, width, count, key,
               fields[0], fields[1]);
    }
    fclose(file);
}

static void lists(void) {
    int segment = shmget(17, 100, IPC_CREAT | 0604), set = semget(18, 2, IPC_CREAT | 0640);
    int queue = msgget(19, IPC_CREAT | 0666);
    CHECK(segment >= 0 && set >= 0 && queue >= 0);
    show_list("shm");
    show_list("sem");
    show_list("msg");
    struct shmid_ds status;
    SHOW(shmctl(-1, SHM_STAT, &status));
    SHOW(shmctl(segment, SHM_STAT, &status) == segment);
    SHOW(shmctl(segment + 32768, SHM_STAT_ANY, &status) == segment);
    CHECK(shmctl(segment, IPC_STAT, &status) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(unshare(CLONE_NEWUSER) == 0);
        CHECK(shmctl(segment, IPC_STAT, &status) == 0);
        printf("seen from inside: %u %u\n", status.shm_perm.uid, status.shm_perm.gid);
        SHOW(shmctl(segment, IPC_SET, &status));
        _exit(0);
    }
    wait_and_show("child", child);
    child = fork();
    if (child == 0) {
        become_nobody();
        SHOW(shmctl(segment, IPC_RMID, NULL));
        SHOW_OK((intptr_t)shmat(segment, NULL, SHM_RDONLY));
        SHOW_OK((intptr_t)shmat(segment, NULL, 0));
        SHOW_OK(semget(18, 0, 0));
        SHOW(semget(18, 0, 0400) < 0 ? -1 : 0);
        SHOW(semctl(set, 0, GETVAL));
        SHOW(operate(set, 0, 1, 0));
        status.shm_perm.uid = 65534;
        SHOW(shmctl(segment, IPC_SET, &status));
        _exit(0);
    }
    wait_and_show("nobody", child);
    CHECK(unshare(CLONE_NEWIPC) == 0);
    SHOW(shmget(17, 0, 0));
    show_list("shm");
}

int main(void) {
    CHECK(pipe(ends) == 0);
    CHECK(unshare(CLONE_NEWIPC) == 0);
    semaphores();
    messages();
    shared_memory();
    lists();
    return 0;
}
