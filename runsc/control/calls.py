"""Every control call: its name, its arguments, what it answers.

One message a call; `METHOD` is the name on the wire, gVisor's where gVisor has the call.  What
the call answers and which descriptors it takes is said in the docstring.  Statuses are encoded as
wait(2) has them.  An empty `container_id` is an error everywhere but where it says "all".
"""

from runsc_py.runsc.control.message import field, message

#: Signal.mode
TO_PROCESS = "process"
TO_ALL = "all"
TO_PROCESS_GROUP = "process-group"
TO_FOREGROUND = "foreground"
TO_PROGRAM = "program"
TO_TERMINAL = "terminal"

#: what ContainerRuntimeState answers
CREATING = "creating"
RUNNING = "running"
STOPPED = "stopped"


class Call:
    """What all calls have in common: their names."""

    METHOD = ""


# -- containers ------------------------------------------------------------------------------------


@message
class StartRoot(Call):
    """Start the root container's process.  Answers None."""

    METHOD = "containerManager.StartRoot"

    container_id: str


@message
class CreateSubcontainer(Call):
    """Reserve a container in this sandbox.  Answers None.

    Descriptors: none, its terminal, or its standard input, output and error; then one for each of
    `guest_descriptors`; then its program when `has_executable`.
    """

    METHOD = "containerManager.CreateSubcontainer"

    container_id: str
    guest_descriptors: list[int] = field(default_factory=list)
    has_executable: bool = False


@message
class AwaitVisits(Call):
    """Have a container's root directory no longer cached once somebody else was in it.

    Answers None.  Descriptors: one that becomes readable then.
    """

    METHOD = "containerManager.AwaitVisits"

    container_id: str


@message
class StartSubcontainer(Call):
    """Start a reserved container.  Answers None.

    Descriptors in this order: standard input, output and error (unless the process has a terminal
    or the container got them when it was created), `filestore_count` files for overlays, the gofer
    of /dev, the archive of the upper layer, the gofer's connection (one serves every mount).
    """

    METHOD = "containerManager.StartSubcontainer"

    container_id: str
    #: the OCI specification, JSON; None is refused
    spec: bytes | None
    #: Config.to_dict()
    config: dict[str, object] | None
    #: "lower:upper[:size=S]", the root first
    gofer_mounts: list[str] = field(default_factory=list)
    filestore_count: int = 0
    has_dev_gofer: bool = False
    has_upper_archive: bool = False
    #: the directory of the specification, as hooks are told
    bundle: str = ""


@message
class DestroySubcontainer(Call):
    """Kill every process of a container and forget it; nothing happens twice.  Answers None."""

    METHOD = "containerManager.DestroySubcontainer"

    container_id: str


@message
class ExecuteAsync(Call):
    """Run one more process in a running container.  Answers its number there, an int.

    Descriptors: the terminal, or standard input, output and error; then one for each of
    `guest_descriptors`; then the program when `has_executable`.
    """

    METHOD = "containerManager.ExecuteAsync"

    container_id: str
    #: an OCI process object, JSON: args, env, cwd, user, capabilities, rlimits, terminal …
    process: bytes = field(shown=False)
    #: `USER[:GROUP]`, looked up inside; replaces the ids of `process`
    user: str = ""
    #: numbers that further descriptors get
    guest_descriptors: list[int] = field(default_factory=list)
    #: a regular file that is open for reading is executed, whatever `args` begins with
    has_executable: bool = False
    #: limits of the process and all that descends from it, 0 for none: nanoseconds of time and of
    #: processor time, bytes of memory; more of it is its end
    wall_ns: int = 0
    cpu_ns: int = 0
    memory: int = 0


@message
class Signal(Call):
    """Send a signal.  Answers None.

    `pid` is a process of the container (0: its first), or for TO_PROCESS_GROUP a group.
    TO_PROGRAM means a process that ExecuteAsync has made and all that descends from it.
    TO_TERMINAL: what keys and windows send (INT, QUIT, TSTP, WINCH) is for the foreground group of
    the process's terminal, everything else for the process.
    """

    METHOD = "containerManager.Signal"

    container_id: str
    signal: int
    pid: int = 0
    mode: str = TO_PROCESS


@message
class Wait(Call):
    """Wait for the end of a container's first process.  Answers its status, an int.

    `ends_with_waiter`: whoever waits stands for it on the host, and takes it along (SIGKILL).
    """

    METHOD = "containerManager.Wait"

    container_id: str
    ends_with_waiter: bool = False


@message
class WaitPid(Call):
    """Wait for a process that ExecuteAsync has made (or another one of the container's).

    Answers its status, an int, once for each ExecuteAsync.  `in_root`: `pid` is its number in the
    sandbox's root PID namespace.  `ends_with_waiter`: as in Wait.
    """

    METHOD = "containerManager.WaitPID"

    container_id: str
    pid: int
    in_root: bool = False
    ends_with_waiter: bool = False


@message
class ProgramEnd:
    """How a program ended; times in nanoseconds, memory in bytes."""

    status: int
    #: the limit that ended it (wall, cpu, memory), or empty
    reason: str
    message: str
    wall: int
    cpu_user: int
    cpu_system: int
    #: of all its processes together, as often as it was looked at; 0 without a limit
    memory_peak: int
    #: of its largest process
    maximum_resident: int


@message
class WaitProgram(Call):
    """Wait as WaitPID for a process that ExecuteAsync has made.  Answers ProgramEnd."""

    METHOD = "Programs.Wait"

    container_id: str
    pid: int


@message
class ProcessEntry:
    """A line of ps."""

    uid: int
    pid: int
    parent: int
    threads: int
    processor: int
    terminal: str
    start_time: str
    time: str
    command: str


@message
class Processes(Call):
    """The processes of a container, or all when empty.  Answers list[ProcessEntry]."""

    METHOD = "containerManager.Processes"

    container_id: str


@message
class ContainerStats:
    """What a container uses at this moment; times in nanoseconds, memory in bytes."""

    cpu_user: int
    cpu_system: int
    cpu_total: int
    memory_usage: int
    memory_limit: int
    pids_current: int
    pids_limit: int
    #: processor time of each container of the sandbox
    containers_cpu: dict[str, int]


@message
class Event(Call):
    """Statistics of a container.  Answers ContainerStats."""

    METHOD = "containerManager.Event"

    container_id: str


@message
class Pause(Call):
    """Stop every task of the sandbox where it is.  Answers None."""

    METHOD = "containerManager.Pause"


@message
class Resume(Call):
    """Let them go on.  Answers None."""

    METHOD = "containerManager.Resume"


@message
class ContainerRuntimeState(Call):
    """Answers CREATING, RUNNING or STOPPED; an unknown container counts as stopped."""

    METHOD = "containerManager.ContainerRuntimeState"

    container_id: str


@message
class PortForward(Call):
    """Connect a stream to a TCP port of the loopback interface inside.  Answers None.

    Descriptors: the stream, a connected socket, which is the sandbox's from then on.
    """

    METHOD = "containerManager.PortForward"

    container_id: str
    port: int


@message
class Update(Call):
    """Change what a container may use; None leaves it, -1 is no limit.  Answers None.

    Without an id it is the root container, whose limits are the whole sandbox's.
    """

    METHOD = "containerManager.Update"

    memory: int | None = None
    pids: int | None = None
    #: microseconds in a period of so many, for the guest to know: the host enforces it
    cpu_quota: int | None = None
    cpu_period: int | None = None
    container_id: str = ""


# -- the life of a container as an embedder drives it ----------------------------------------------


@message
class PrepareNamespaces(Call):
    """Make the mount and PID namespace that StartContainer starts a process in.  Answers None.

    Descriptors: a gofer connection that serves `gofer_mounts`.
    """

    METHOD = "Lifecycle.PrepareNamespaces"

    container_id: str
    spec: bytes
    config: dict[str, object]
    gofer_mounts: list[str] = field(default_factory=list)


@message
class StartContainer(Call):
    """Start a process in prepared namespaces.  Answers None.

    Descriptors: one for each of `donated_fds`.
    """

    METHOD = "Lifecycle.StartContainer"

    container_id: str
    filename: str = ""
    argv: list[str] = field(default_factory=list)
    envv: list[str] = field(default_factory=list)
    #: never logged
    secret_envv: list[str] = field(default_factory=list, shown=False)
    wd: str = ""
    kuid: int = 0
    kgid: int = 0
    user: str = ""
    #: controller → path below the container's group
    initial_cgroups: dict[str, str] = field(default_factory=dict)
    #: name as in getrlimit(2) without RLIMIT_ → [soft, hard]
    limits: dict[str, list[int]] = field(default_factory=dict)
    resolve_home: bool = False
    resolve_binary_path: bool = False
    donated_fds: list[int] = field(default_factory=list)

    def masked(self) -> str:
        """The same as text for a log, without the values of secrets."""
        hidden = ["(hidden)"] * len(self.secret_envv)
        return f"{self!r}"[:-1] + f", secret_envv={hidden!r})"


@message
class LifecyclePause(Call):
    """As Pause.  Answers None."""

    METHOD = "Lifecycle.Pause"


@message
class LifecycleResume(Call):
    """As Resume.  Answers None."""

    METHOD = "Lifecycle.Resume"


@message
class Shutdown(Call):
    """End the sandbox; nothing happens twice.  Answers None."""

    METHOD = "Lifecycle.Shutdown"


@message
class GetExitStatus(Call):
    """Answers the status of a container that has stopped, an int."""

    METHOD = "Lifecycle.GetExitStatus"

    container_id: str


@message
class Reap(Call):
    """Have the exit event sent once more if the container has stopped.  Answers None."""

    METHOD = "Lifecycle.Reap"

    container_id: str


@message
class PauseExternalNetworking(Call):
    """Let nothing pass between the sandbox and other machines; with --network=host.  Answers None.

    Connections stay and wait, new ones are refused (ENETUNREACH).  Loopback goes on.
    """

    METHOD = "Lifecycle.PauseExternalNetworking"


@message
class ResumeExternalNetworking(Call):
    """The opposite of PauseExternalNetworking.  Answers None."""

    METHOD = "Lifecycle.ResumeExternalNetworking"


@message
class IsContainerRunning(Call):
    """Answers a bool; False for an unknown container."""

    METHOD = "Lifecycle.IsContainerRunning"

    container_id: str


@message
class SignalContainer(Call):
    """Signal the first process, or all, of a container that StartContainer started."""

    METHOD = "Lifecycle.SignalContainer"

    container_id: str
    signal: int
    all: bool = False


# -- everything else -------------------------------------------------------------------------------


@message
class Subscribe(Call):
    """Be told what happens.  Answers None, then EventMessage as events until it is disconnected.

    `container_id` may be empty: all.
    """

    METHOD = "Events.Subscribe"

    container_id: str = ""
    #: nanoseconds between two events "stats", the first of which comes at once; 0: none
    stats_interval: int = 0


@message
class EventMessage:
    """`kind`: started, exited (with exit_status), oom, stats (the fields of ContainerStats)."""

    kind: str
    container_id: str
    data: dict[str, object] = field(default_factory=dict)


@message
class Read(Call):
    """Copy a part of a container's regular file.  Answers the bytes copied, an int.

    `size` -1: up to the end.  Descriptors: where to; it is made non-blocking.
    """

    METHOD = "Fs.Read"

    container_id: str
    path: str
    offset: int = 0
    size: int = -1


@message
class Write(Call):
    """Make a container's file, or replace its content.  Answers None.

    Directories that are missing are made.  Descriptors: a regular file with the content.
    """

    METHOD = "Fs.Write"

    container_id: str
    path: str
    #: permissions of a new file
    mode: int = 0o644


@message
class TarRootfsUpper(Call):
    """Write what a container changed in its root as a tar archive.

    Answers list[str], the names that an archive has no entry for.  Descriptors: a regular file.
    """

    METHOD = "Fs.TarRootfsUpperLayer"

    container_id: str


@message
class MemoryUsage:
    """Bytes."""

    mapped: int
    anonymous: int
    tmpfs: int
    sentry: int
    total: int
    #: of each container of the sandbox, when that was asked for
    containers: dict[str, int] = field(default_factory=dict)


@message
class Usage(Call):
    """Memory of the whole sandbox.  Answers MemoryUsage; `full`: with that of each container."""

    METHOD = "Usage.Collect"

    full: bool = False


@message
class ChangeLogging(Call):
    """Change the log's level or the trace of a living sandbox; None leaves it.  Answers None.

    Descriptors: none, or a pipe that the trace goes to instead of the log.  Then there is no
    answer: the trace ends when the client hangs up.
    """

    METHOD = "Logging.Change"

    #: debug, info or warning
    level: str | None = None
    strace: bool | None = None
    #: only these calls, by name; all when empty
    strace_syscalls: list[str] = field(default_factory=list)


@message
class Stacks(Call):
    """Where each task and the sentry is.  Answers text, a str."""

    METHOD = "debug.Stacks"


def calls() -> dict[str, type[Call]]:
    """Every call by its name on the wire, those of this module first."""
    from runsc_py.runsc.control import file_calls, inspection

    modules = (__name__, file_calls.__name__, inspection.__name__)
    return {
        kind.METHOD: kind
        for module in modules
        for kind in Call.__subclasses__()
        if kind.__module__ == module
    }
