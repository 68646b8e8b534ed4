"""What psutil reads from /proc: the type of each answer, and what must be so."""

import os
import subprocess
import time

import psutil

SKIPPED = {
    # these change something, or wait
    *("kill", "terminate", "suspend", "resume", "send_signal", "wait", "oneshot", "rlimit"),
    *("as_dict", "connections", "memory_info_ex"),
    "parent",  # the first process of a sandbox has none
}


def describe(value: object) -> str:
    """The type, with the fields of a named tuple."""
    return f"{type(value).__name__} {getattr(value, '_fields', '')}"


process = psutil.Process()
for name in dir(process):
    if not name.startswith("_") and name not in SKIPPED and callable(getattr(process, name)):
        print(name, describe(getattr(process, name)()))
child = subprocess.Popen(["/bin/sleep", "60"])
other = psutil.Process(child.pid)
while (other.name(), other.status()) != ("sleep", "sleeping"):
    time.sleep(0.01)
print(other.name(), other.status(), other.cmdline(), other.ppid() == os.getpid())
print(other.parent() == process, [each.pid == child.pid for each in process.children()])
print(other.num_threads(), other.num_fds(), other.nice(), other.terminal(), other.exe())
print(other.uids() == process.uids(), other.cpu_affinity() == process.cpu_affinity())
print(other.create_time() >= process.create_time(), len(process.memory_maps()) > 5)
print([file.path for file in process.open_files()])
with open("/etc/passwd") as opened:
    print([(file.path, file.fd == opened.fileno()) for file in process.open_files()])
soft, hard = process.rlimit(psutil.RLIMIT_CORE)
process.rlimit(psutil.RLIMIT_CORE, (0, hard))
print(process.rlimit(psutil.RLIMIT_CORE)[0])
for name in (
    *("cpu_times", "virtual_memory", "swap_memory", "cpu_count", "cpu_stats", "boot_time"),
    *("disk_partitions", "net_io_counters", "net_if_addrs", "net_if_stats", "pids", "users"),
    *("getloadavg", "net_connections", "cpu_percent"),
):
    print(name, describe(getattr(psutil, name)()))
print(psutil.boot_time() < process.create_time() <= time.time() + 1)
child.kill()
child.wait()
print(psutil.pid_exists(child.pid), other.is_running())
