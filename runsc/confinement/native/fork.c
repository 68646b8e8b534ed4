/* os.fork() with the flags of clone(2).
 *
 * unshare(2) would do for a PID namespace, but not be undone: everything that its caller forks
 * later would be in that namespace too, hooks among it. */

#define _GNU_SOURCE
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "walls.h"

/* Without libc's fork(3) its locks are as they are: there is one thread. */
int walls_fork(uint64_t flags)
{
    PyGILState_STATE state = PyGILState_Ensure();
    long pid;
    int error;

    PyOS_BeforeFork();
    pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
    error = errno;
    if (pid == 0)
        PyOS_AfterFork_Child();
    else
        PyOS_AfterFork_Parent();
    PyGILState_Release(state);
    return pid < 0 ? -error : (int)pid;
}
