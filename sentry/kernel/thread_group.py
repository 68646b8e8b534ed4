"""Thread groups: what POSIX calls a process (Linux's signal_struct).

Holds what the threads of a process share whatever clone flags they were made with: signal
handlers, shared pending signals, limits, parent and children, exit status, stop state.
"""

from runsc_py.sentry.kernel.io_accounting import IoAccounting
from runsc_py.sentry.kernel.pid_namespace import PidNamespace
from runsc_py.sentry.kernel.signal_sending import send_to_thread_group
from runsc_py.sentry.kernel.signals import PendingSignals, SignalHandlers, SignalInfo
from runsc_py.sentry.kernel.usage import Usage
from runsc_py.sentry.kernel.waiting import WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.containers import Container, Program
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.limits import Limits
    from runsc_py.sentry.kernel.sessions import ProcessGroup, Session
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.tracing import Tracing


class ThreadGroup:
    """A process."""

    __slots__ = (
        "__weakref__",
        "child_queue",
        "child_subreaper",
        "children",
        "children_usage",
        "container",
        "continued_report",
        "core_dumped",
        "did_exec",
        "exit_queue",
        "exit_signal",
        "exit_status",
        "exiting",
        "extras",
        "handlers",
        "is_unkillable",
        "is_zombie",
        "kernel",
        "last_tracing",
        "leader",
        "limits",
        "oom_score_adjustment",
        "parent",
        "parent_task",
        "past_io",
        "past_usage",
        "pending",
        "pid_namespace",
        "process_group",
        "program",
        "start_time",
        "stop_report",
        "stop_signal",
        "tasks",
        "tracees",
    )

    def __init__(
        self,
        kernel: "Kernel",
        pid_namespace: PidNamespace,
        handlers: SignalHandlers,
        limits: "Limits",
        exit_signal: int,
    ) -> None:
        self.kernel = kernel
        self.pid_namespace = pid_namespace
        self.handlers = handlers
        self.pending = PendingSignals()
        self.limits = limits
        #: sent to the parent when the process ends; 0 for none
        self.exit_signal = exit_signal
        #: living tasks; the leader stays `leader` also after it ended before the others
        self.tasks: list[Task] = []
        #: None in a plain `run`
        self.container: Container | None = None
        #: what `exec` started that it belongs to; None for what else there is in a container
        self.program: Program | None = None
        self.leader: Task
        self.parent: ThreadGroup | None = None
        #: the parent's thread whose child this is: __WNOTHREAD, PR_SET_PDEATHSIG
        self.parent_task: Task | None = None
        self.children: list[ThreadGroup] = []
        #: a tracer that is not the parent has to wait for this zombie before the parent can
        self.last_tracing: Tracing | None = None
        #: threads that this process traces (kernel/tracing.py)
        self.tracees: list[Tracing] = []
        self.process_group: ProcessGroup | None = None
        #: wait status as wait(2) encodes it; meaningful once `exiting`
        self.exit_status = 0
        #: the first of its PID namespace: signals do only what it has handlers for (Linux's
        #: SIGNAL_UNKILLABLE), but for SIGKILL and SIGSTOP from outside of the namespace
        self.is_unkillable = False
        self.exiting = False
        self.is_zombie = False
        self.core_dumped = False
        #: 0, or the signal that job control stopped the process with
        self.stop_signal = 0
        #: a stop (its signal) or continue that wait(2) has not reported
        self.stop_report = 0
        self.continued_report = False
        #: whether it called execve since it was forked (setpgid's EACCES)
        self.did_exec = False
        self.child_subreaper = False
        self.oom_score_adjustment = 0
        self.start_time = kernel.clock.boottime()
        #: of ended threads (system time) and of host processes left behind by execve or exit
        self.past_usage = Usage()
        #: of ended threads and of waited-for children
        self.past_io = IoAccounting()
        #: of waited-for children
        self.children_usage = Usage()
        #: notified when a child changes state
        self.child_queue = WaitQueue()
        #: notified when this process has become a zombie (pidfd poll)
        self.exit_queue = WaitQueue()
        #: state of subsystems that few processes have (timers, ...), by name
        self.extras: dict[str, object] = {}

    @property
    def identifier(self) -> int:
        """The process id in the root namespace."""
        return self.leader.identifier

    @property
    def session(self) -> "Session | None":
        return self.process_group.session if self.process_group is not None else None

    def identifier_in(self, namespace: PidNamespace) -> int:
        """The process id as seen from a namespace; 0 from outside of it."""
        return self.leader.identifiers.get(namespace, 0)

    def send_signal(self, info: SignalInfo) -> None:
        """Send to the process: any thread that does not block it takes it."""
        send_to_thread_group(self, info)

    def user_time(self) -> int:
        """Nanoseconds of user time so far."""
        tasks = self.tasks
        return self.past_usage.user + (tasks[0].context.process_cpu_time() if tasks else 0)

    def system_time(self) -> int:
        """Nanoseconds of system time so far."""
        return self.past_usage.system + sum(task.system_time() for task in self.tasks)

    def cpu_time(self) -> int:
        """Nanoseconds of both."""
        return self.user_time() + self.system_time()

    def usage(self) -> Usage:
        """All that the process used so far."""
        past = self.past_usage
        used = Usage(self.user_time(), self.system_time(), past.maximum_resident)
        minor = major = 0
        if self.tasks:
            memory = self.tasks[0].memory
            used.maximum_resident = max(used.maximum_resident, memory.peak_resident_set_size())
            minor, major = memory.address_space.page_faults()
        used.minor_faults = past.minor_faults + minor
        used.major_faults = past.major_faults + major
        used.voluntary_switches = past.voluntary_switches + sum(
            task.voluntary_switches for task in self.tasks
        )
        return used

    def leave_host_process(self) -> None:
        """The only thread left is about to leave its host process, for execve or for ever."""
        task = self.tasks[0]
        past = self.past_usage
        past.user += task.context.process_cpu_time()
        past.maximum_resident = max(past.maximum_resident, task.memory.peak_resident_set_size())
        minor, major = task.memory.address_space.page_faults()
        past.minor_faults += minor
        past.major_faults += major

    def set_parent(self, parent: "ThreadGroup", thread: "Task | None" = None) -> None:
        """Become a child of `parent`, of its first living thread unless another one is given."""
        if self.parent is not None:
            self.parent.children.remove(self)
        self.parent = parent
        self.parent_task = thread or next(iter(parent.tasks), None)
        parent.children.append(self)
