/* The smallest steps with ptrace(2): wait for one thread, move its registers, tell a fault
 * from a signal that somebody sent. */

#include "internal.h"

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

_Static_assert(sizeof(struct registers) == sizeof(struct user_regs_struct), "user_regs_struct");

/* The next stop (or death) of `tid`.  0, or -1 when there is no such child any more. */
int wait_for(int tid, int *status)
{
    for (;;) {
        if (waitpid(tid, status, __WALL) == tid)
            return 0;
        if (errno != EINTR)
            return -1;
    }
}

int load_registers(int tid, const struct registers *registers)
{
    return (int)ptrace(PTRACE_SETREGS, tid, 0, registers);
}

int store_registers(int tid, struct registers *registers)
{
    return (int)ptrace(PTRACE_GETREGS, tid, 0, registers);
}

/* Whether the signal that `tid` is about to receive reports an exception of its own.  A
 * positive si_code cannot be forged by another process. */
int is_kernel_fault(int tid, int signal, uint8_t info[128])
{
    siginfo_t stopped;

    switch (signal) {
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGTRAP:
    case SIGSYS:
        break;
    default:
        return 0;
    }
    memset(&stopped, 0, sizeof stopped);
    if (ptrace(PTRACE_GETSIGINFO, tid, 0, &stopped) || stopped.si_code <= 0)
        return 0;
    _Static_assert(sizeof stopped == 128, "siginfo_t");
    memcpy(info, &stopped, sizeof stopped);
    return 1;
}
