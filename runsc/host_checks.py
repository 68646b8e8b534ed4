"""What the host allows, found out by trying it: never by version numbers alone.

What is *needed* is the required path of SECURITY.md: it works in a plain container.  The
rest only adds layers of defence or speed.  Nothing here changes anything on the host.
"""

import errno
import os
import platform as machine
import sys
from collections.abc import Callable
from typing import Any

MEBIBYTE = 1 << 20
#: system call numbers of x86-64 that os does not have
SYS_OPENAT2 = 437
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x10000000, 0x20000000
FEWEST_DESCRIPTORS = 1024


class Finding:
    """One thing that was looked at."""

    __slots__ = ("detail", "name", "needed", "remedy", "works")

    def __init__(self, name: str, needed: bool, works: bool, detail: str, remedy: str = "") -> None:
        self.name = name
        #: whether nothing runs without it
        self.needed = needed
        self.works = works
        self.detail = detail
        #: what to do where it does not work
        self.remedy = remedy

    def line(self) -> str:
        """For a person."""
        mark = "ok      " if self.works else "MISSING " if self.needed else "without "
        text = f"{mark}{self.name}: {self.detail}"
        return text if self.works or not self.remedy else f"{text}; {self.remedy}"

    def as_dict(self) -> dict[str, Any]:
        """For a program."""
        return {name: getattr(self, name) for name in self.__slots__}


def check_host() -> list[Finding]:
    """Everything, what is needed first."""
    checks: list[Callable[[], Finding]] = [
        _machine,
        _python,
        _platform,
        _gofer,
        _guest_memory,
        _memory_files,
        _descriptors,
        _processors,
        _openat2,
        _filters,
        _landlock,
        _own_namespaces,
        _user_namespaces,
        _images,
    ]
    return [check() for check in checks]


def _machine() -> Finding:
    system = os.uname()
    works = sys.platform == "linux" and system.machine == "x86_64" and sys.maxsize > 1 << 32
    detail = f"{system.sysname} {system.release} on {system.machine}"
    return Finding("machine", True, works, detail, "a 64-bit x86 Linux is needed")


def _python() -> Finding:
    detail = f"{machine.python_implementation()} {machine.python_version()}"
    return Finding("python", True, sys.version_info >= (3, 11), detail, "3.11 or later is needed")


def _platform() -> Finding:
    """ptrace(2), seccomp(2) filters, processes, the stub page: by starting the platform."""
    name = "ptrace platform"
    try:
        from runsc_py.platform.interface import PlatformError
        from runsc_py.platform.ptrace.platform import PtracePlatform
    except ImportError as error:
        return Finding(name, True, False, str(error), "reinstall: pip install --force-reinstall")
    try:
        with PtracePlatform() as platform:
            platform.new_address_space()
    except (OSError, PlatformError) as error:
        # The message of a PlatformError says what to do.
        return Finding(name, True, False, str(error))
    return Finding(name, True, True, "ptrace and seccomp filters work")


def _gofer() -> Finding:
    """The gofer starts and serves the root directory."""
    from runsc_py.gofer.client import GoferClient, GoferError
    from runsc_py.gofer.process import MountSpec, start_gofer

    connection = start_gofer([MountSpec("/", read_only=True)])
    try:
        GoferClient(connection.socket).mount(0)
    except (OSError, GoferError) as error:
        return Finding("gofer", True, False, str(error), "allow fork(2), socketpair(2), prctl(2)")
    finally:
        connection.close()
        connection.wait()
    return Finding("gofer", True, True, "serves /")


def _guest_memory() -> Finding:
    """process_vm_readv(2), by which guest memory is read, on a child of our own."""
    import ctypes

    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    libc = ctypes.CDLL(None, use_errno=True)
    source = ctypes.create_string_buffer(b"guest", 5)
    target = ctypes.create_string_buffer(5)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(writer)
            os.read(reader, 1)
        finally:
            os._exit(0)
    try:
        os.close(reader)
        ours, theirs = (Vector(ctypes.addressof(place), 5) for place in (target, source))
        done = libc.process_vm_readv(child, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0)
        number = ctypes.get_errno()
    finally:
        os.close(writer)
        os.waitpid(child, 0)
    works = done == 5
    detail = "process_vm_readv works" if works else f"process_vm_readv: {os.strerror(number)}"
    remedy = "allow it in the container's seccomp profile, or add the capability SYS_PTRACE"
    return Finding("guest memory", True, works, detail, remedy)


def _memory_files() -> Finding:
    try:
        fd = os.memfd_create("doctor", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.close(fd)
    except OSError as error:
        remedy = "allow memfd_create(2) in the container's seccomp profile"
        return Finding("memory files", True, False, f"memfd_create: {error.strerror}", remedy)
    return Finding("memory files", True, True, "memfd_create works")


def _descriptors() -> Finding:
    from resource import RLIMIT_NOFILE, getrlimit

    _, hard = getrlimit(RLIMIT_NOFILE)
    remedy = f"raise `ulimit -Hn`: at least {FEWEST_DESCRIPTORS}, better 65536"
    return Finding("descriptors", True, hard >= FEWEST_DESCRIPTORS, f"{hard} at most", remedy)


def _processors() -> Finding:
    count = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEBIBYTE
    return Finding("resources", False, True, f"{count} processors, {memory} MiB of memory")


def _syscall(number: int, *arguments: int) -> tuple[int, int]:
    """A system call that Python does not have: result and errno."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(number, *(ctypes.c_long(argument) for argument in arguments))
    return result, ctypes.get_errno()


def _openat2() -> Finding:
    # A NULL structure of size 0 is EINVAL where the call exists.
    _, number = _syscall(SYS_OPENAT2, -1, 0, 0, 0)
    works = number == errno.EINVAL
    detail = "there" if works else "not there: the gofer checks each component itself"
    return Finding("openat2", False, works, detail, "Linux 5.6 and a newer seccomp profile have it")


def _in_child(act: Callable[[], int]) -> int:
    """What `act` returns in a process of its own: 0, or an errno."""
    child = os.fork()
    if child == 0:
        number = 255
        try:
            number = act()
        finally:
            os._exit(number)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _filters() -> Finding:
    """The filters of sentry and gofer, as they are installed before a program runs."""
    from runsc_py.runsc.confinement._walls import lib

    number = _in_child(lambda: -lib.walls_install_filter(lib.WALLS_SENTRY, 2, b"", b""))
    if number:
        remedy = "allow seccomp(2) in the container's seccomp profile"
        return Finding("filters", True, False, os.strerror(number), remedy)
    return Finding("filters", True, True, "sentry and gofer make the calls of SECURITY.md only")


def _landlock() -> Finding:
    """What it takes from a sentry and a gofer without namespaces of their own."""
    from runsc_py.runsc.confinement._walls import lib

    version = lib.walls_landlock_version()
    if version < 0:
        return Finding("landlock", False, False, os.strerror(-version), "boot with lsm=landlock,…")
    taken = [(1, "paths"), (4, "TCP ports"), (6, "signals to other processes")]
    detail = ", ".join(what for since, what in taken if since <= version)
    return Finding("landlock", False, True, f"ABI {version}: takes {detail}")


def _namespaces_errno(flags: int) -> int:
    """What a process in new namespaces fails with; 0 when there can be one."""
    from runsc_py.runsc.confinement._walls import lib

    child: int = lib.walls_fork(flags)
    if child == 0:
        os._exit(0)
    if child < 0:
        return -child
    os.waitpid(child, 0)
    return 0


def _own_namespaces() -> Finding:
    """A container's sandbox with mounts and processes of its own."""
    number = _namespaces_errno(CLONE_NEWPID | CLONE_NEWNS)
    if number == 0:
        detail = "mounts and processes of a container's sandbox are its own"
        return Finding("own namespaces", False, True, detail)
    detail = f"{os.strerror(number)}: Landlock instead"
    return Finding("own namespaces", False, False, detail, "be root, or in a user namespace")


def _user_namespaces() -> Finding:
    """Not needed, but rootless engines have them."""
    number = _namespaces_errno(CLONE_NEWUSER)
    if number == 0:
        return Finding("user namespaces", False, True, "allowed")
    return Finding("user namespaces", False, False, os.strerror(number), "not needed")


def _images() -> Finding:
    """Where `run --image` unpacks to, and whether it can be written; nothing is made."""
    from runsc_py.runsc.archive.streams import zstd_module
    from runsc_py.runsc.images.cache import cache_path

    path = place = cache_path()
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    name = "image cache"
    if not os.access(place, os.W_OK | os.X_OK):
        detail = f"{place} is not writable"
        return Finding(name, False, False, detail, "set RUNSC_PY_CACHE to another directory")
    if zstd_module() is None:
        remedy = "for layers compressed with it: pip install backports.zstd"
        return Finding(name, False, False, f"{path}, without zstd", remedy)
    status = os.statvfs(place)
    free = status.f_bavail * status.f_frsize // MEBIBYTE
    return Finding(name, False, True, f"{path}, {free} MiB free; gzip and zstd layers")
