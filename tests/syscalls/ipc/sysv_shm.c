/* System V shared memory: shared over fork, attach counts, removal, errors. */
#include "guest.h"
#include <sys/ipc.h>
#include <sys/shm.h>

int main(void) {
    int id = shmget(IPC_PRIVATE, 5000, IPC_CREAT | 0600);
    CHECK(id >= 0);
    char *memory = shmat(id, NULL, 0);
    CHECK(memory != (void *)-1);
    strcpy(memory, "from the parent");
    pid_t child = fork();
    if (child == 0) {
        struct shmid_ds status;
        CHECK(shmctl(id, IPC_STAT, &status) == 0);
        printf("attached %lu\n", status.shm_nattch);
        puts(memory);
        strcpy(memory, "from the child");
        fflush(stdout);
        _exit(0);
    }
    wait_and_show("child", child);
    puts(memory);
    struct shmid_ds status;
    SHOW(shmctl(id, IPC_STAT, &status));
    printf("size %zu attached %lu mode %o\n", status.shm_segsz, status.shm_nattch,
           status.shm_perm.mode);
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW(shmctl(id, IPC_STAT, &status));
    printf("mode %o\n", status.shm_perm.mode);
    memory[4999] = 'x';
    char *again = shmat(id, NULL, SHM_RDONLY);
    printf("attached again %d, sees %c\n", again != (void *)-1, again[4999]);
    SHOW(shmdt(again));
    SHOW(shmdt(again));
    SHOW(shmdt(memory));
    SHOW(shmctl(id, IPC_STAT, &status));
    key_t key = 0x52756e73;
    id = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    CHECK(id >= 0);
    SHOW(shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0600));
    SHOW(shmget(key, 4096, 0) == id);
    SHOW(shmget(key, 8192, 0));
    SHOW(shmget(key + 1, 4096, 0));
    SHOW((long)shmat(id, (void *)0x1001, 0));
    SHOW(shmctl(id, IPC_RMID, NULL));
    SHOW(shmget(key, 4096, 0));
    SHOW(shmget(IPC_PRIVATE, 0, 0600));
    return 0;
}
