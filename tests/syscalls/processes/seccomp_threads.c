/* SECCOMP_FILTER_FLAG_TSYNC puts a filter on every thread, or on none and says which is in the way. */
// guest: cflags = -pthread
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/prctl.h>

static int filter(unsigned flags, unsigned number, unsigned action) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static sem_t ready, go_on;
static pid_t thread_number;
static unsigned own_filter;

static void *thread(void *unused) {
    thread_number = gettid();
    if (own_filter) {
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(filter(SECCOMP_FILTER_FLAG_LOG, SYS_getpgid, own_filter) == 0);
    }
    sem_post(&ready);
    sem_wait(&go_on);
    SHOW(syscall(SYS_getppid) > 0);
    SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_GET_SECCOMP));
    return unused;
}

static void run(unsigned flags) {
    pthread_t other;
    CHECK(sem_init(&ready, 0, 0) == 0 && sem_init(&go_on, 0, 0) == 0);
    CHECK(pthread_create(&other, NULL, thread, NULL) == 0);
    sem_wait(&ready);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    int result = filter(flags, SYS_getppid, SECCOMP_RET_ERRNO | EXDEV);
    printf("result: %s, %s\n", errno_name(result < 0 ? errno : 0),
           result == thread_number ? "the thread" : result > 0 ? "positive" : "not positive");
    SHOW(syscall(SYS_getppid) > 0);
    sem_post(&go_on);
    CHECK(pthread_join(other, NULL) == 0);
}

static void in_child(const char *name, unsigned flags, unsigned of_thread) {
    printf("-- %s\n", name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        own_filter = of_thread;
        run(flags);
        _exit(0);
    }
    wait_and_show(name, child);
}

int main(void) {
    in_child("one thread", 0, 0);
    in_child("all", SECCOMP_FILTER_FLAG_TSYNC, 0);
    in_child("all, quick", SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, 0);
    in_child("conflict", SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_RET_ALLOW);
    in_child("conflict by errno", SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
             SECCOMP_RET_LOG);
    in_child("listener for all",
             SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
                 SECCOMP_FILTER_FLAG_NEW_LISTENER, 0);
    return 0;
}
