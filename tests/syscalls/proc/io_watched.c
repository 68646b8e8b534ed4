/* /proc/PID/io of a task that is traced, and of one whose filter refuses calls. */
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char data[64];

/* What was counted before this reading. */
static void show(const char *what)
{
    char text[512];
    long rchar, wchar, syscr, syscw;
    int fd = open("/proc/self/io", O_RDONLY);
    long length = read(fd, text, sizeof text - 1);
    CHECK(length > 0);
    text[length] = 0;
    close(fd);
    CHECK(sscanf(text, "rchar: %ld\nwchar: %ld\nsyscr: %ld\nsyscw: %ld\n", &rchar, &wchar, &syscr,
                 &syscw) == 4);
    printf("%s: %ld and %ld bytes, %ld and %ld calls\n", what, rchar, wchar, syscr, syscw);
    fflush(stdout);
}

static void be_traced(void)
{
    int pipes[2], status;
    CHECK(pipe(pipes) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        raise(SIGSTOP);
        CHECK(write(pipes[1], data, 40) == 40);
        CHECK(read(pipes[0], data, 64) == 40);
        CHECK(write(-1, data, 5) == -1);
        show("traced");
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    while (!WIFEXITED(status)) {
        CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
        CHECK(waitpid(child, &status, 0) == child);
    }
}

static void be_filtered(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 42),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, rules};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    CHECK(pwrite(pipes[1], data, 40, 0) == -1 && errno == 42);
    CHECK(write(pipes[1], data, 30) == 30);
    CHECK(read(pipes[0], data, 64) == 30);
    show("filtered");
}

int main(void)
{
    be_traced();
    pid_t child = fork();
    if (child == 0) {
        be_filtered();
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    return 0;
}
