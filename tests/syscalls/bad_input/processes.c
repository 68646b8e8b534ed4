/* Bad arguments of calls on processes, credentials and limits. */
// guest: timeout = 60
// guest: kernel = 6.16
// guest: user = root
#include "bad_input.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <linux/capability.h>

static const int capabilities[2] = {_LINUX_CAPABILITY_VERSION_3, 0};
static const struct rlimit limit = {100, 200};
static struct iovec vector;

int main(void) {
    make_world();
    vector = (struct iovec){buffer + 64, 8};
    const struct call calls[] = {
        CALL(wait4, PROCESS, BUFFER, FLAGS(WNOHANG), BUFFER),
        CALL(waitid, NUMBER(0), PROCESS, BUFFER, FLAGS(WNOHANG | WEXITED), BUFFER),
        CALL(kill, FIXED(4194303), NUMBER(0)),
        CALL(kill, FIXED(INT32_MIN), FIXED(0)),
        CALL(kill, FIXED(getpid()), NUMBER(0)),
        CALL(tkill, PROCESS, FIXED(0)),
        CALL(tgkill, PROCESS, PROCESS, FIXED(0)),
        CALL(rt_sigqueueinfo, PROCESS, FIXED(0), BUFFER),
        CALL(pidfd_open, PROCESS, FLAGS(0)),
        CALL(pidfd_send_signal, DESCRIPTOR(FILE_FD), FIXED(0), BUFFER, FLAGS(0)),
        CALL(pidfd_getfd, DESCRIPTOR(FILE_FD), DESCRIPTOR(FILE_FD), FLAGS(0)),
        CALL(getpgid, PROCESS),
        CALL(getsid, PROCESS),
        CALL(setpgid, PROCESS, PROCESS),
        CALL(getpriority, NUMBER(0), PROCESS),
        CALL(setpriority, NUMBER(0), PROCESS, NUMBER(1)),
        CALL(sched_getscheduler, PROCESS),
        CALL(sched_getparam, PROCESS, BUFFER),
        CALL(sched_setparam, PROCESS, BUFFER),
        CALL(sched_setscheduler, PROCESS, NUMBER(0), BUFFER),
        CALL(sched_getaffinity, PROCESS, LENGTH(128), BUFFER),
        CALL(sched_setaffinity, PROCESS, LENGTH(128), BUFFER),
        CALL(sched_getattr, PROCESS, BUFFER, NUMBER(56), FLAGS(0)),
        CALL(sched_setattr, PROCESS, BUFFER, FLAGS(0)),
        CALL(sched_rr_get_interval, PROCESS, BUFFER),
        CALL(sched_get_priority_max, NUMBER(0)),
        CALL(ioprio_get, NUMBER(1), PROCESS),
        CALL(ioprio_set, NUMBER(1), PROCESS, NUMBER(0)),
        CALL(getrlimit, NUMBER(7), BUFFER),
        CALL_WITH(limit, setrlimit, NUMBER(7), BUFFER),
        CALL(prlimit64, PROCESS, NUMBER(7), FIXED(0), BUFFER),
        CALL(getrusage, NUMBER(0), BUFFER),
        CALL(times, BUFFER),
        CALL(sysinfo, BUFFER),
        CALL(uname, BUFFER),
        CALL(getcpu, BUFFER, BUFFER, FIXED(0)),
        CALL(getgroups, NUMBER(0), BUFFER),
        CALL(setgroups, LENGTH(1), BUFFER),
        CALL(getresuid, BUFFER, BUFFER, BUFFER),
        CALL(getresgid, BUFFER, BUFFER, BUFFER),
        CALL(setuid, NUMBER(0)),
        CALL(setgid, NUMBER(0)),
        CALL(setreuid, NUMBER(0), NUMBER(0)),
        CALL(setresuid, NUMBER(0), NUMBER(0), NUMBER(0)),
        CALL(setresgid, NUMBER(0), NUMBER(0), NUMBER(0)),
        CALL(setfsuid, NUMBER(0)),
        CALL_WITH(capabilities, capget, BUFFER, BUFFER),
        CALL_WITH(capabilities, capset, BUFFER, BUFFER),
        CALL(prctl, FIXED(PR_SET_NAME), BUFFER),
        CALL(prctl, FIXED(PR_GET_NAME), BUFFER),
        CALL(prctl, FIXED(PR_SET_PDEATHSIG), NUMBER(9)),
        CALL(prctl, FIXED(PR_SET_DUMPABLE), NUMBER(1)),
        CALL(prctl, FIXED(PR_CAPBSET_READ), NUMBER(1)),
        CALL(prctl, FIXED(PR_SET_NO_NEW_PRIVS), NUMBER(1), NUMBER(0), NUMBER(0), NUMBER(0)),
        CALL(prctl, FIXED(PR_SET_SECUREBITS), FLAGS(0)),
        CALL(prctl, FIXED(PR_SET_CHILD_SUBREAPER), NUMBER(0)),
        CALL_WITH(vector, process_vm_readv, PROCESS, BUFFER, LENGTH(1), BUFFER, LENGTH(1), FLAGS(0)),
        CALL(kcmp, PROCESS, PROCESS, NUMBER(0), DESCRIPTOR(FILE_FD), DESCRIPTOR(FILE_FD)),
        CALL(unshare, FLAGS(0)),
        CALL(setns, DESCRIPTOR(FILE_FD), FLAGS(0)),
        CALL(personality, FIXED(0xffffffff)),
        CALL(execve, NAME("file"), FIXED(0), FIXED(0)),
        CALL(execveat, DESCRIPTOR(AT_FDCWD), NAME("file"), BUFFER, BUFFER, FLAGS(0)),
        CALL(seccomp, NUMBER(1), FLAGS(0), BUFFER),
        CALL(get_robust_list, PROCESS, BUFFER, BUFFER),
        CALL(set_robust_list, BUFFER, LENGTH(24)),
        CALL(getrandom, BUFFER, LENGTH(8), FLAGS(0)),
    };
    TRY_ALL(calls, false);
    TRY_ALL(calls, true);
    return 0;
}
