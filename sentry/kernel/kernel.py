"""The kernel object: everything of one sandbox hangs from here.

Nothing in the sentry is global; two kernels in one process would not know of each other.
"""

import os
from collections import deque
from collections.abc import Callable

from runsc_py.platform.interface import Context, Platform
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.kernel.clock import Clock
from runsc_py.sentry.kernel.events import HostEvents
from runsc_py.sentry.kernel.futex import FutexTable
from runsc_py.sentry.kernel.limits import limits_of
from runsc_py.sentry.kernel.namespaces import (
    CgroupNamespace,
    IpcNamespace,
    Namespaces,
    UtsNamespace,
)
from runsc_py.sentry.kernel.options import KernelOptions
from runsc_py.sentry.kernel.pid_namespace import PidNamespace
from runsc_py.sentry.kernel.time_namespace import TimeNamespace
from runsc_py.sentry.kernel.timers import Timers
from runsc_py.sentry.kernel.usage import SystemTime, Usage
from runsc_py.sentry.kernel.waiting import WaitQueue
from runsc_py.sentry.vfs.attributes import make_device
from runsc_py.sentry.vfs.settings import FileSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.sentry.fs.dev.registry import DeviceRegistry
    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.fs.synthetic import Specification
    from runsc_py.sentry.kernel.load_averages import LoadAverages
    from runsc_py.sentry.kernel.sessions import Session
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.socket.namespace import NetworkNamespace
    from runsc_py.sentry.strace.strace import Strace
    from runsc_py.sentry.syscalls.table import Entry
    from runsc_py.sentry.vfs.filesystem_context import FileSystemType
    from runsc_py.sentry.vfs.inode import Inode
    from runsc_py.sentry.vfs.mount import Mount, MountNamespace
    from runsc_py.sentry.vfs.path import Path
else:
    Protocol = object  # the real one is for type checkers, and slow to import


#: how many mappings the host lets a process have: its vm.max_map_count, unless it was changed
MAXIMUM_MAP_COUNT = 65530
#: Linux's numbers of the initial namespaces
CGROUP_NUMBER = 0xEFFFFFFB
TIME_NUMBER = 0xEFFFFFFA


class Log(Protocol):
    """Where the sentry reports what an operator wants to know."""

    def debug(self, message: str) -> None: ...
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...


def open_descriptor_directory(processes: int) -> int:
    """Our own /proc/self/fd, of the procfs `processes` unless that is -1."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    if processes < 0:
        return os.open("/proc/self/fd", flags)
    return os.open("self/fd", flags, dir_fd=processes)


class Kernel:
    """One sandbox's kernel."""

    #: what of Task.extras a child gets at clone(2)
    inherited_extras = (
        "personality",
        "scheduling",
        "timer_slack",
        "io_priority",
        "time_stamp_counter",
        "machine_check",
        "login_uid",
        "memory_policy",
        "audit_session",
    )

    def __init__(self, platform: Platform, options: KernelOptions, log: Log) -> None:
        self.platform = platform
        self.options = options
        self.limits = options.limits
        self.log = log
        self.clock = Clock()
        self.timers = Timers()
        self.events = HostEvents(self.clock, self.timers)
        self.boot_time_ns = self.clock.boottime()
        self._last_inode = 0
        self._last_device = 0

        # Namespaces that everything starts in.
        self.root_user_namespace = UserNamespace.initial()
        self.root_pid_namespace = PidNamespace(
            None, self.root_user_namespace, self.new_inode_number()
        )

        self.root_time_namespace = TimeNamespace(self.root_user_namespace, TIME_NUMBER)
        self.root_cgroup_namespace = CgroupNamespace(self.root_user_namespace, CGROUP_NUMBER)

        # Objects of every task.
        self.futexes = FutexTable()
        #: notified when a signal was queued that its target blocks (signalfd, sigtimedwait)
        self.signal_queue = WaitQueue()
        self.file_settings = FileSettings()
        #: /proc/sys/vm/max_map_count
        self.max_map_count = MAXIMUM_MAP_COUNT
        #: /proc/sys/kernel/core_pattern and core_uses_pid: kept, though nobody writes core files
        self.core_pattern = b"core"
        self.core_uses_pid = 0
        #: how many eventfds were made
        self.event_files = 0
        #: how often somebody logged in (/proc/PID/loginuid)
        self.audit_sessions = 0
        #: files of /proc, when they are not those of fs/proc/machine_table.py
        self.proc_files: dict[bytes, Specification] | None = None
        self.devices: DeviceRegistry
        self.terminals: TerminalRegistry
        self.anonymous_mount: Mount
        #: our own /proc/self/fd, where a descriptor of ours is opened again with fewer rights
        self.descriptor_directory = open_descriptor_directory(options.processes)
        #: where the first process starts
        self.root_mount_namespace: MountNamespace
        #: file system types that mount(2) knows, by name
        self.file_systems: dict[str, Callable[[], FileSystemType]] = {}

        # The run loop's.
        #: tasks to be taken up again
        self.ready: deque[Task] = deque()
        #: whose system call is being served: what file operations without a task argument ask
        self.current_task: Task
        #: grows with every stop that is served: what the host told at this one is still news
        self.moment = 0
        #: processes that got SIGKILL
        self.doomed: list[ThreadGroup] = []
        #: the sandbox's first process
        self.init: ThreadGroup | None = None
        self.finished = False
        #: everything is held (kernel/pausing.py)
        self.paused = False
        #: called when job control has stopped the first process, whose parent is outside
        self.on_init_stop: Callable[[], None] | None = None
        #: the first process is an ordinary program that does not expect to inherit orphans: they
        #: become children of nobody and are reaped at once, as if an init did it
        self.reaps_orphans = True
        #: why the sandbox was ended from outside of the guest: "wall", "cpu", "memory" …
        self.end_reason = ""
        self.end_message = ""
        self.strace: Strace | None = None
        #: the system call table, for those that name calls by number (ptrace)
        self.find_syscall: Callable[[int], Entry | None]

        # Statistics for the result record.
        self.unsupported: dict[int, int] = {}
        self.processes_peak = 0
        self.system_time = SystemTime()
        #: what the processes that have ended used
        self.ended_usage = Usage()
        #: once somebody has asked
        self.load_averages: LoadAverages | None = None
        #: pages of all tmpfs instances and memfds
        self.memory_file_pages = 0
        #: limits of the sandbox that guests ran into, and how often
        self.limits_reached: dict[str, int] = {}
        self.forks = 0

        platform.watch(self.events.descriptor)

    # -- identities -----------------------------------------------------------------

    def new_inode_number(self) -> int:
        """A number for an inode that no real file system keeps."""
        self._last_inode += 1
        return 0xF000_0000 - 1 + self._last_inode

    def new_anonymous_device(self) -> int:
        """A device number for a file system without a block device: 0:1, 0:2, …"""
        self._last_device += 1
        return make_device(0, self._last_device)

    def random(self, size: int) -> bytes:
        """Bytes for guests: AT_RANDOM, getrandom(2), uuids."""
        return os.urandom(size)

    def anonymous_path(self, inode: "Inode", name: bytes) -> "Path":
        """A place for an object without a name in any tree (a pipe, an epoll instance)."""
        from runsc_py.sentry.vfs.path import Dentry, Path

        return Path(self.anonymous_mount, Dentry(name, None, inode))

    def path_name(self, path: "Path") -> bytes:
        """A path's name from the root of its own mount tree, for /proc/PID/maps."""
        from runsc_py.sentry.vfs.naming import path_name

        return path_name(path, None)

    # -- tasks -----------------------------------------------------------------------

    def start_task(self, task: "Task") -> None:
        """Let a new task run."""
        if self.strace is not None:
            task.watched = True  # the first task is older than the trace
        task.scheduled = True
        self.ready.append(task)
        self.forks += 1
        count = len(self.root_pid_namespace.tasks)
        if count > self.processes_peak:
            self.processes_peak = count

    def doom(self, group: "ThreadGroup") -> None:
        """SIGKILL: the run loop ends the process before anything else."""
        if not group.exiting and group not in self.doomed:
            self.doomed.append(group)

    def init_stopped(self) -> None:
        """Job control stopped the first process."""
        if self.on_init_stop is not None:
            self.on_init_stop()

    def task_ended(self, task: "Task") -> None:
        """A thread is gone; called once for each."""
        if self.strace is not None:
            self.strace.exit(task)

    def current_contexts(self) -> list[Context]:
        """The contexts of all living tasks."""
        return [
            thread.context
            for task in self.root_pid_namespace.tasks.values()
            for thread in task.thread_group.tasks
            if task.thread_group.leader is task
        ]

    # -- namespaces --------------------------------------------------------------------

    def new_uts_namespace(self, host_name: bytes) -> UtsNamespace:
        """The first UTS namespace."""
        return UtsNamespace(host_name, b"(none)", self.root_user_namespace, self.new_inode_number())

    def new_network_namespace(self) -> "NetworkNamespace":
        """The first one."""
        from runsc_py.sentry.socket.namespace import NetworkNamespace

        uses_host = self.options.network == "host"
        return NetworkNamespace(self, self.root_user_namespace, uses_host=uses_host)

    def new_ipc_namespace(self) -> IpcNamespace:
        """The first one."""
        return IpcNamespace(self.root_user_namespace, self.new_inode_number())

    def new_namespaces(self, mount: "MountNamespace") -> Namespaces:
        """Those that everything starts in."""
        return Namespaces(
            mount,
            self.new_uts_namespace(self.options.host_name),
            self.new_ipc_namespace(),
            self.new_network_namespace(),
            self.root_time_namespace,
            self.root_cgroup_namespace,
        )

    # -- reports -----------------------------------------------------------------------

    def note_unsupported(self, task: "Task", number: int) -> None:
        """A system call that nobody registered; the log has it once per run."""
        count = self.unsupported.get(number, 0)
        self.unsupported[number] = count + 1
        if not count:
            from runsc_py.sentry.syscalls.numbers import syscall_name

            self.log.info(
                f"{task.name.decode(errors='replace')}[{task.identifier}]: "
                f"unsupported system call {syscall_name(number)} ({number}) answered with ENOSYS"
            )

    def note_limit(self, limit: str, task: "Task") -> None:
        """A guest ran into a limit of the sandbox and got an error; the log has it once."""
        count = self.limits_reached.get(limit, 0)
        self.limits_reached[limit] = count + 1
        if not count:
            self.log.warning(
                f"{task.name.decode(errors='replace')}[{task.identifier}]: "
                f"limit of {getattr(limits_of(task), limit)} {limit} reached"
            )

    def charge_memory_files(self, pages: int) -> None:
        """Memory files have grown, or shrunk when `pages` is negative.

        More than the sandbox may use ends it, at once: no process shows what they hold.
        """
        self.memory_file_pages += pages
        limit = self.limits.memory
        if limit is not None and self.memory_file_pages << 12 > limit:
            self.end_for_memory()

    def end_for_memory(self) -> None:
        """The sandbox uses more memory than it may."""
        assert self.limits.memory is not None
        self.end("memory", f"memory limit of {self.limits.memory / (1 << 20):g} MiB reached")

    def trace(self, strace: "Strace | None") -> None:
        """Have the calls of every task printed from now on; None: no longer."""
        self.strace = strace
        for task in self.root_pid_namespace.tasks.values():
            task.watched = task.tracing is not None or task.is_observed()

    def hang_up_terminal(self, session: "Session") -> None:
        """The leader of a session with a controlling terminal ended."""
        terminal = session.terminal
        session.terminal = None
        if terminal is not None:
            terminal.hang_up(session)  # type: ignore[attr-defined]

    def end(self, reason: str, message: str) -> None:
        """End the sandbox from outside of the guest: a limit, a signal to runsc, a broken gofer."""
        if not self.end_reason:
            self.end_reason = reason
            self.end_message = message
        self.finished = True
