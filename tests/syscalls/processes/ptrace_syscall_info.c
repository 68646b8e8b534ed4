/* PTRACE_GET_SYSCALL_INFO, the event messages of stops at calls, filters, pending signals. */
// guest: user = root
#include "guest.h"
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

long ptrace(int request, ...);

static void install(unsigned flags, unsigned action) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_dup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0);
}

static void traced(void) {
    CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    raise(SIGSTOP);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    install(0, SECCOMP_RET_TRACE | 1234);
    install(SECCOMP_FILTER_FLAG_LOG, SECCOMP_RET_ALLOW);
    syscall(SYS_dup, 99, 2, 3, 4, 5, 6);
    _exit(0);
}

static void show_info(pid_t child) {
    struct ptrace_syscall_info info = {0};
    unsigned long message = 99;
    CHECK(ptrace(PTRACE_GETEVENTMSG, child, 0, &message) == 0);
    long size = ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    printf("message %lu, size %ld, op %d, arch %x", message, size, info.op, info.arch);
    if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        printf(", value %ld, error %d\n", (long)info.exit.rval, info.exit.is_error);
    else if (info.op == PTRACE_SYSCALL_INFO_NONE)
        printf("\n");
    else
        printf(", number %d, arguments %d %d %d %d, data %u\n", (int)info.entry.nr,
               (int)info.entry.args[0], (int)info.entry.args[1], (int)info.entry.args[4],
               (int)info.entry.args[5],
               info.op == PTRACE_SYSCALL_INFO_SECCOMP ? info.seccomp.ret_data : 0);
}

static int next_stop(pid_t child, int request) {
    int status;
    CHECK(ptrace(request, child, 0, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
    return status >> 8;
}

static void show_pending(pid_t child) {
    siginfo_t found[4];
    struct ptrace_peeksiginfo_args asked = {.nr = 4};
    SHOW(ptrace(PTRACE_PEEKSIGINFO, child, &asked, found));
    asked.flags = PTRACE_PEEKSIGINFO_SHARED;
    SHOW(kill(child, SIGUSR1));
    SHOW(kill(child, SIGRTMIN));
    SHOW(kill(child, SIGRTMIN));
    SHOW(ptrace(PTRACE_PEEKSIGINFO, child, &asked, found));
    printf("%d %d %d\n", found[0].si_signo, found[1].si_signo, found[2].si_signo);
    asked.off = 2;
    SHOW(ptrace(PTRACE_PEEKSIGINFO, child, &asked, found));
    asked.flags = 2;
    SHOW(ptrace(PTRACE_PEEKSIGINFO, child, &asked, found));
    asked.flags = 0;
    asked.nr = -1;
    SHOW(ptrace(PTRACE_PEEKSIGINFO, child, &asked, found));
}

static void show_filters(pid_t child) {
    struct sock_filter code[4];
    SHOW(ptrace(PTRACE_SECCOMP_GET_FILTER, child, 0, NULL));
    SHOW(ptrace(PTRACE_SECCOMP_GET_FILTER, child, 0, code));
    SHOW(code[2].k == (SECCOMP_RET_TRACE | 1234));
    SHOW(ptrace(PTRACE_SECCOMP_GET_FILTER, child, 1, code));
    SHOW(code[2].k == SECCOMP_RET_ALLOW);
    SHOW(ptrace(PTRACE_SECCOMP_GET_FILTER, child, 2, code));
    struct seccomp_metadata data = {0, 99};
    SHOW(ptrace(PTRACE_SECCOMP_GET_METADATA, child, 4, &data));
    SHOW(ptrace(PTRACE_SECCOMP_GET_METADATA, child, 100, &data));
    SHOW(data.flags);
    data.filter_off = 1;
    SHOW(ptrace(PTRACE_SECCOMP_GET_METADATA, child, sizeof data, &data));
    SHOW(data.flags);
    data.filter_off = 2;
    SHOW(ptrace(PTRACE_SECCOMP_GET_METADATA, child, sizeof data, &data));
}

int main(void) {
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        traced();
    CHECK(waitpid(child, &status, 0) == child);
    show_info(child);
    SHOW(ptrace(PTRACE_GET_SYSCALL_INFO, child, 3, &status));
    SHOW(ptrace(PTRACE_GET_SYSCALL_INFO, child, 8, 8));
    SHOW(ptrace(PTRACE_SECCOMP_GET_FILTER, child, 0, NULL));
    /* Without PTRACE_O_TRACESYSGOOD nobody can tell the stops. */
    printf("stop %x\n", next_stop(child, PTRACE_SYSCALL));
    show_info(child);
    SHOW(ptrace(PTRACE_SETOPTIONS, child, 0,
                PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXIT));
    SHOW(ptrace(PTRACE_SETOPTIONS, child, 0, 1 << 30));
    int stop;
    do
        stop = next_stop(child, PTRACE_CONT);
    while (stop != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8));
    show_info(child);
    show_filters(child);
    show_pending(child);
    printf("stop %x\n", stop = next_stop(child, PTRACE_SYSCALL));
    show_info(child);
    while ((stop = next_stop(child, PTRACE_SYSCALL)) == SIGUSR1 || stop == SIGRTMIN) {
        printf("stop %x\n", stop);
        show_info(child);
    }
    printf("stop %x\n", stop);
    show_info(child);
    printf("stop %x\n", next_stop(child, PTRACE_SYSCALL));
    show_info(child);
    CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
    wait_and_show("child", child);
    return 0;
}
