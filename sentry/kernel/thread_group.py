"""Thread groups: what POSIX calls a process (Linux's signal_struct).

Holds what the threads of a process share whatever clone flags they were made with: signal
handlers, shared pending signals, limits, parent and children, exit status, stop state.
"""

from runsc_py.sentry.kernel.pid_namespace import PidNamespace
from runsc_py.sentry.kernel.signal_sending import send_to_thread_group
from runsc_py.sentry.kernel.signals import PendingSignals, SignalHandlers, SignalInfo
from runsc_py.sentry.kernel.waiting import WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.containers import Container
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
        "children_cpu_time",
        "container",
        "continued_report",
        "core_dumped",
        "cpu_time_before_exec",
        "did_exec",
        "exit_queue",
        "exit_signal",
        "exit_status",
        "exiting",
        "extras",
        "finished_cpu_time",
        "handlers",
        "is_zombie",
        "kernel",
        "leader",
        "limits",
        "oom_score_adjustment",
        "parent",
        "pending",
        "pid_namespace",
        "process_group",
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
        self.leader: Task
        self.parent: ThreadGroup | None = None
        self.children: list[ThreadGroup] = []
        #: threads that this process traces (kernel/tracing.py)
        self.tracees: list[Tracing] = []
        self.process_group: ProcessGroup | None = None
        #: wait status as wait(2) encodes it; meaningful once `exiting`
        self.exit_status = 0
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
        #: user CPU nanoseconds of address spaces left behind by execve, and of the ended process
        self.cpu_time_before_exec = 0
        self.finished_cpu_time: int | None = None
        #: CPU nanoseconds of waited-for children
        self.children_cpu_time = 0
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

    def cpu_time(self) -> int:
        """CPU nanoseconds used by the process so far."""
        if self.finished_cpu_time is not None:
            return self.finished_cpu_time
        return self.cpu_time_before_exec + self.leader.memory.cpu_time()

    def set_parent(self, parent: "ThreadGroup") -> None:
        """Become a child of `parent`."""
        if self.parent is not None:
            self.parent.children.remove(self)
        self.parent = parent
        parent.children.append(self)
