/* prctl(2): the options that few programs use, and their arguments that must be 0. */
#include "guest.h"
#include <linux/prctl.h>
#include <sys/auxv.h>

int prctl(int option, ...);

static void in_child(const char *what, void (*function)(void)) {
    printf("-- %s\n", what);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        function();
        _exit(0);
    }
    wait_and_show(what, child);
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif
#define PR_MDWE_NO_INHERIT_ 2

static void show_protections(void) {
    SHOW_OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW(mprotect(page, 4096, PROT_READ | PROT_EXEC));
    SHOW(mprotect(page, 4096, PROT_READ));
    page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW_OK(page);
    SHOW(mprotect(page, 4096, PROT_READ | PROT_EXEC));
    SHOW(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
    SHOW(mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

static void write_or_execute(void) {
    SHOW(prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_GET_MDWE, 1L, 0L, 0L, 0L));
    SHOW(prctl(PR_SET_MDWE, PR_MDWE_NO_INHERIT_, 0L, 0L, 0L));
    SHOW(prctl(PR_SET_MDWE, 4L, 0L, 0L, 0L));
    SHOW(prctl(PR_SET_MDWE, 1L, 1L, 0L, 0L));
    SHOW(prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L));
    SHOW(prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L));
    SHOW(prctl(PR_SET_MDWE, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_SET_MDWE, 3L, 0L, 0L, 0L));
    show_protections();
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        SHOW(prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L));
        show_protections();
        _exit(0);
    }
    wait_and_show("child", child);
}

static void not_inherited(void) {
    SHOW(prctl(PR_SET_MDWE, 3L, 0L, 0L, 0L));
    SHOW(prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        SHOW(prctl(PR_GET_MDWE, 0L, 0L, 0L, 0L));
        _exit(0);
    }
    wait_and_show("child", child);
}

static void on_segv(int number) {
    printf("signal %d\n", number);
    fflush(stdout);
    _exit(0);
}

static void time_stamp_counter(void) {
    int mode = 0;
    signal(SIGSEGV, on_segv);
    SHOW(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
    SHOW(prctl(PR_GET_TSC, &mode));
    SHOW(mode);
    SHOW(prctl(PR_SET_TSC, PR_TSC_ENABLE));
    __asm__ volatile("rdtsc" ::: "rax", "rdx");
    SHOW(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
    __asm__ volatile("rdtsc" ::: "rax", "rdx");
    printf("read\n");
}

static void others(void) {
    SHOW(prctl(PR_SET_THP_DISABLE, 1L, 0L, 0L, 0L));
    SHOW(prctl(PR_GET_THP_DISABLE, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_SET_THP_DISABLE, 1L, 1L, 1L, 0L));
    SHOW(prctl(PR_SET_THP_DISABLE, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_GET_THP_DISABLE, 1L, 0L, 0L, 0L));
    SHOW(prctl(PR_GET_THP_DISABLE, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_MCE_KILL_GET, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0L, 0L));
    SHOW(prctl(PR_MCE_KILL_GET, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0L, 0L, 0L));
    SHOW(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 9L, 0L, 0L));
    SHOW(prctl(PR_MCE_KILL, 7L, 0L, 0L, 0L));
    SHOW(prctl(PR_GET_UNALIGN, 8L));
    SHOW(prctl(PR_GET_ENDIAN, 8L));
    SHOW(prctl(PR_GET_FPEMU, 8L));
    SHOW(prctl(PR_GET_FPEXC, 8L));
    SHOW(prctl(PR_GET_TIMING));
    SHOW(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL));
    SHOW(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP));
    SHOW(prctl(PR_SVE_GET_VL));
    SHOW(prctl(PR_GET_TAGGED_ADDR_CTRL, 0L, 0L, 0L, 0L));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1L, 0L, 0L));
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1L, 7L, 7L, 7L));
    SHOW(prctl(PR_GET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L));
    SHOW(prctl(PR_GET_SECUREBITS));
    SHOW(prctl(PR_CAPBSET_READ, 64L));
    SHOW(prctl(PR_CAPBSET_DROP, 64L));
    SHOW(prctl(PR_TASK_PERF_EVENTS_DISABLE));
    SHOW(prctl(PR_TASK_PERF_EVENTS_ENABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 2L));
    SHOW(prctl(PR_SET_KEEPCAPS, 2L));
}

int main(void) {
    in_child("write or execute", write_or_execute);
    in_child("not inherited", not_inherited);
    in_child("time stamp counter", time_stamp_counter);
    in_child("others", others);
    return 0;
}
