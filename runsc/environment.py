"""The environment that a process of ours inherited, which is nobody's to read later.

A sandbox and the processes that wait for containers are forked from a command of an engine: what
that was started with (proxies' passwords, tokens) would stay readable in /proc/PID/environ for as
long as a container lives.  The kernel shows there what is in the process's own memory.
"""

import os

#: of /proc/PID/stat, counted behind the name (proc_pid_stat(5): 50 and 51)
ENVIRONMENT_START, ENVIRONMENT_END = 47, 48


def forget_environment() -> None:
    """Overwrite it, in this process alone; `os.environ` is a copy, and stays."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[ENVIRONMENT_START]), int(fields[ENVIRONMENT_END])
    memory = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.pwrite(memory, bytes(end - start), start)
    finally:
        os.close(memory)
