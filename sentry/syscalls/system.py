"""The system as a whole: its name, memory, randomness, and what only a machine's owner may do."""

from runsc_py.sentry.abi.system import (
    GRND_INSECURE,
    GRND_NONBLOCK,
    GRND_RANDOM,
    KERNEL_RELEASE,
    KERNEL_VERSION,
    MACHINE,
    MACHINE_32,
    PER_LINUX32,
    PER_MASK,
    SYSINFO,
    SYSTEM_NAME,
    UTSNAME,
    UTSNAME_FIELD_SIZE,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN, CAP_SYSLOG
from runsc_py.sentry.errors import EINVAL, EPERM
from runsc_py.sentry.kernel.clock import CLOCK_BOOTTIME
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.waiting import wait
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    Hexadecimal,
    InBuffer,
    Int,
    OutBuffer,
    OutSysinfo,
    OutUtsname,
    RandomFlags,
    Size,
    UnsignedLong,
)

#: Linux returns at most this many random bytes from one call
_RANDOM_MAXIMUM = (1 << 25) - 1
_RANDOM_CHUNK = 1 << 16


@syscall(63, "uname")
def uname(task: Task, result: OutUtsname) -> int:
    """uname(2)"""
    uts = task.namespaces.uts
    data = UTSNAME.pack(
        SYSTEM_NAME,
        uts.host_name,
        KERNEL_RELEASE,
        KERNEL_VERSION,
        MACHINE_32 if task.extras.get("personality", 0) & PER_MASK == PER_LINUX32 else MACHINE,
        uts.domain_name,
    )
    task.memory.copy_out(result, data)
    return 0


def _new_name(task: Task, address: int, size: int) -> bytes:
    """The name that sethostname(2) passes.  Errors: EPERM, EINVAL, EFAULT."""
    if not task.credentials.has_capability(CAP_SYS_ADMIN, task.namespaces.uts.user_namespace):
        raise EPERM
    if not 0 <= size < UTSNAME_FIELD_SIZE:
        raise EINVAL
    return task.memory.copy_in(address, size).split(b"\0", 1)[0]


@syscall(170, "sethostname")
def sethostname(task: Task, name: InBuffer, size: Int) -> int:
    """sethostname(2)"""
    task.namespaces.uts.host_name = _new_name(task, name, size)
    return 0


@syscall(171, "setdomainname")
def setdomainname(task: Task, name: InBuffer, size: Int) -> int:
    """setdomainname(2)"""
    task.namespaces.uts.domain_name = _new_name(task, name, size)
    return 0


@syscall(99, "sysinfo", support=Support.PARTIAL, note="load is used CPU time; no buffers or swap")
def sysinfo(task: Task, result: OutSysinfo) -> int:
    """sysinfo(2)"""
    from runsc_py.sentry.fs.proc.machine import load_averages, total_memory, used_memory

    kernel = task.kernel
    total = total_memory(task)
    free = max(total - used_memory(kernel), 0)
    boot_offset = task.namespaces.time.offset(CLOCK_BOOTTIME)
    uptime = (kernel.clock.boottime() + boot_offset) // 1_000_000_000
    tasks = min(len(task.pid_namespace.tasks), 0xFFFF)
    # SI_LOAD_SHIFT is 16, the averages have 11 bits after the point.
    loads = (load << 5 for load in load_averages(kernel))
    data = SYSINFO.pack(uptime, *loads, total, free, 0, 0, 0, 0, tasks, 0, 0, 1)
    task.memory.copy_out(result, data)
    return 0


@syscall(318, "getrandom")
def getrandom(task: Task, buffer: OutBuffer, size: Size, flags: RandomFlags) -> int:
    """getrandom(2)"""
    if flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE):
        raise EINVAL
    if flags & GRND_RANDOM and flags & GRND_INSECURE:
        raise EINVAL
    size = min(size, _RANDOM_MAXIMUM)
    done = 0
    while done < size:
        chunk = task.kernel.random(min(size - done, _RANDOM_CHUNK))
        written = task.memory.copy_out_part(buffer + done, chunk)
        done += written
        if written < len(chunk):
            break
    return done


_SYSLOG_READ = 2
_SYSLOG_READ_ALL = 3
_SYSLOG_READ_CLEAR = 4
_SYSLOG_READS = (_SYSLOG_READ, _SYSLOG_READ_ALL, _SYSLOG_READ_CLEAR)
_SYSLOG_CONSOLE_LEVEL = 8
_SYSLOG_SIZE_BUFFER = 10
_SYSLOG_FOR_ALL = (_SYSLOG_READ_ALL, _SYSLOG_SIZE_BUFFER)
_SYSLOG_LAST = 10
#: what the size of the ring buffer is said to be
_LOG_BUFFER_SIZE = 1 << 14


def _kernel_log() -> bytes:
    """All that our kernel has to say."""
    return (
        b"<5>[    0.000000] Linux version " + KERNEL_RELEASE + b" " + KERNEL_VERSION + b"\n"
        b"<6>[    0.000000] Booted by runsc-py, a user-space application kernel.\n"
    )


def _check_syslog(task: Task, action: int, buffer: int, size: int) -> None:
    """Errors: EPERM, EINVAL."""
    if action not in _SYSLOG_FOR_ALL and not task.credentials.has_capability(CAP_SYSLOG):
        raise EPERM
    if action in _SYSLOG_READS and (buffer == 0 or size < 0):
        raise EINVAL
    if action == _SYSLOG_CONSOLE_LEVEL and not 1 <= size <= 8:
        raise EINVAL


@syscall(103, "syslog", support=Support.PARTIAL, note="a fixed text, which counts as read")
async def syslog(task: Task, action: Int, buffer: OutBuffer, size: Int) -> int:
    """syslog(2)"""
    if not 0 <= action <= _SYSLOG_LAST:
        raise EINVAL
    _check_syslog(task, action, buffer, size)
    if action == _SYSLOG_SIZE_BUFFER:
        return _LOG_BUFFER_SIZE
    if action not in _SYSLOG_READS or size == 0:
        return 0
    while action == _SYSLOG_READ:  # there will never be a new message
        await wait(task, ())
    text = _kernel_log()[-size:]
    task.memory.copy_out(buffer, text)
    return len(text)


_PERSONALITY_QUERY = 0xFFFFFFFF


@syscall(
    135,
    "personality",
    support=Support.PARTIAL,
    note="ADDR_NO_RANDOMIZE, STICKY_TIMEOUTS and PER_LINUX32 have effect, the rest is kept",
)
def personality(task: Task, persona: Hexadecimal) -> int:
    """personality(2)"""
    before: int = task.extras.get("personality", 0)
    if persona & 0xFFFFFFFF != _PERSONALITY_QUERY:
        task.extras["personality"] = persona & 0xFFFFFFFF
    return before


@syscall(139, "sysfs")
def sysfs(task: Task, option: Int, first: UnsignedLong, second: UnsignedLong) -> int:
    """sysfs(2): the numbers and names of the file system types."""
    names = [name.encode() for name in task.kernel.file_systems]
    if option == 1:
        name = task.memory.copy_in_string(first)
        if name not in names:
            raise EINVAL
        return names.index(name)
    if option == 2:
        if first >= len(names):
            raise EINVAL
        task.memory.copy_out(second, names[first] + b"\0")
        return 0
    if option == 3:
        return len(names)
    raise EINVAL
