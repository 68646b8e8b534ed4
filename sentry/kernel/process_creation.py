"""Processes without a parent: the first of a container, and those that `exec` adds.

`create_process` makes one that is ready to run, `start_process` lets it, `abort_unstarted` gives
back one that never ran.  A failure leaves nothing: no number, no stub, no reference.
"""

from __future__ import annotations

from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from runsc_py.sentry.errors import EAGAIN, EINVAL, ENOTDIR, EPERM, KernelError, message_of
from runsc_py.sentry.kernel.execution import execute
from runsc_py.sentry.kernel.fd_table import FdTable
from runsc_py.sentry.kernel.file_context import FileContext
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.limits import RLIMIT_NPROC, Limits
from runsc_py.sentry.kernel.namespaces import Namespaces
from runsc_py.sentry.kernel.scheduling import set_scheduling
from runsc_py.sentry.kernel.sessions import ProcessGroup, Session
from runsc_py.sentry.kernel.signals import SignalHandlers
from runsc_py.sentry.kernel.task import DEAD, Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.mm.memory_manager import MemoryManager
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.fs.devpts.terminal import Terminal
    from runsc_py.sentry.kernel.containers import Container, Program
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.namespaces import IpcNamespace, UtsNamespace
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.scheduling import Scheduling
    from runsc_py.sentry.kernel.seccomp import Filter
    from runsc_py.sentry.kernel.time_namespace import TimeNamespace
    from runsc_py.sentry.socket.namespace import NetworkNamespace
    from runsc_py.sentry.vfs.mount import MountNamespace
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

SIGCHLD = 17


class CreationError(Exception):
    """Why there is no process: a text, and the errno behind it (0 for none)."""

    def __init__(self, message: str, number: int = 0) -> None:
        super().__init__(message)
        self.number = number


class ProcessArguments:
    """What a process is to be; everything that is not given is as Linux's first process has it."""

    __slots__ = (
        "argv",
        "container",
        "credentials",
        "environment",
        "file",
        "file_name",
        "files",
        "ipc_namespace",
        "limits",
        "mount_namespace",
        "network_namespace",
        "no_new_privileges",
        "oom_score_adjustment",
        "pid_namespace",
        "program",
        "scheduling",
        "seccomp_filter",
        "terminal",
        "time_namespace",
        "umask",
        "uts_namespace",
        "working_directory",
    )

    def __init__(self, argv: list[bytes], credentials: Credentials, limits: Limits) -> None:
        self.argv = argv
        self.environment: list[bytes] = []
        self.credentials = credentials
        self.limits = limits
        #: the program: a name, or else an open file, or else argv[0], which is absolute then
        self.file_name = b""
        self.file: OpenFile | None = None
        #: of the guest; empty is the root
        self.working_directory = b""
        self.umask = 0o022
        self.no_new_privileges = False
        #: the caller keeps its own reference
        self.files = FdTable(limits)
        #: None: those of the kernel's first process
        self.mount_namespace: MountNamespace | None = None
        self.pid_namespace: PidNamespace | None = None
        self.uts_namespace: UtsNamespace | None = None
        self.ipc_namespace: IpcNamespace | None = None
        self.network_namespace: NetworkNamespace | None = None
        #: None: the machine's time
        self.time_namespace: TimeNamespace | None = None
        self.container: Container | None = None
        self.program: Program | None = None
        #: becomes the controlling terminal
        self.terminal: Terminal | None = None
        #: in force from the first instruction on
        self.seccomp_filter: Filter | None = None
        self.oom_score_adjustment = 0
        #: None: as every process without a wish has it
        self.scheduling: Scheduling | None = None


def create_process(kernel: Kernel, arguments: ProcessArguments) -> tuple[ThreadGroup, int]:
    """A process that has its program, and its number in the root PID namespace.

    Raises CreationError.  The first one ever becomes `kernel.init`.
    """
    kernel.log.debug(f"EXEC: {arguments.argv!r}")
    namespaces = _namespaces(kernel, arguments)
    root = namespaces.mount.root.root_path
    walker = KernelThread(kernel, namespaces, root, credentials=arguments.credentials)
    working_directory = _working_directory(kernel, arguments, namespaces, root)
    name, path = _image(walker, arguments, working_directory)
    _check_limits(kernel, arguments)
    group = _make_group(kernel, arguments)
    try:
        task = _make_task(kernel, arguments, group, namespaces)
    except KernelError as error:
        raise CreationError(f"creating task: {message_of(error)}", error.number) from None
    try:
        task.file_context = FileContext(root, working_directory, arguments.umask)
        try:
            execute(task, path, name, arguments.argv or [name], arguments.environment)
        except KernelError as error:
            text = f"failed to load {_text(name)}: {message_of(error)}"
            raise CreationError(text, error.number) from None
        if arguments.terminal is not None:
            _set_controlling_terminal(group, arguments.terminal)
    except BaseException:
        abort_unstarted(group)
        raise
    if kernel.init is None:
        kernel.init = group
    return group, group.identifier


def start_process(group: ThreadGroup) -> None:
    """Let a created process run."""
    group.kernel.start_task(group.leader)


def abort_unstarted(group: ThreadGroup) -> None:
    """Give back a process that was created and never ran: nobody is told of an end."""
    task, kernel = group.leader, group.kernel
    task.state = DEAD
    group.exiting = True
    task.files.release(task)
    task.context.exit()
    task.memory.release()
    group.tasks.clear()
    session = group.session
    if session is not None and session.terminal is not None:
        session.terminal.session = None  # type: ignore[attr-defined]
        session.terminal.foreground = None  # type: ignore[attr-defined]
    if group.process_group is not None:
        group.process_group.remove(group)
        group.process_group = None
    task.pid_namespace.unregister(task)
    if kernel.init is group:
        kernel.init = None


def _namespaces(kernel: Kernel, arguments: ProcessArguments) -> Namespaces:
    """Those given, the others from the first process of the kernel."""
    init = kernel.init.leader.namespaces if kernel.init is not None else None
    mount = arguments.mount_namespace
    if mount is None:
        if init is None:
            raise CreationError("mount namespace is nil")
        mount = init.mount
    uts, ipc = arguments.uts_namespace, arguments.ipc_namespace
    network = arguments.network_namespace
    if uts is None:
        uts = init.uts if init else kernel.new_uts_namespace(kernel.options.host_name)
    if ipc is None:
        ipc = init.ipc if init else kernel.new_ipc_namespace()
    if network is None:
        network = init.network if init else kernel.new_network_namespace()
    time = arguments.time_namespace or kernel.root_time_namespace
    return Namespaces(mount, uts, ipc, network, time, kernel.root_cgroup_namespace)


def _working_directory(
    kernel: Kernel, arguments: ProcessArguments, namespaces: Namespaces, root: Path
) -> Path:
    """Looked up by the superuser: who may not search it may well start in it, as runc has it."""
    name = arguments.working_directory
    if not name:
        return root
    try:
        place = walk(KernelThread(kernel, namespaces, root), name)
        if not place.inode.is_directory:
            raise ENOTDIR
    except KernelError as error:
        text = f'failed to find initial working directory "{_text(name)}": {message_of(error)}'
        raise CreationError(text, error.number) from None
    return place


def _image(
    walker: KernelThread, arguments: ProcessArguments, working_directory: Path
) -> tuple[bytes, Path]:
    """What the program is called, and where it is."""
    name = arguments.file_name
    if not name and arguments.file is not None:
        path = arguments.file.path
        return walker.kernel.path_name(path), path
    if not name:
        if not arguments.argv:
            raise CreationError("no filename or command provided", EINVAL.number)
        name = arguments.argv[0]
        if not name.startswith(b"/"):
            raise CreationError(f"'{_text(name)}' is not an absolute path", EINVAL.number)
    walker.file_context.working_directory = working_directory
    try:
        return name, walk(walker, name)
    except KernelError as error:
        text = f"failed to load {_text(name)}: {message_of(error)}"
        raise CreationError(text, error.number) from None


def _check_limits(kernel: Kernel, arguments: ProcessArguments) -> None:
    """The sandbox's limit on processes, and the user's."""
    tasks = kernel.root_pid_namespace.tasks
    limit = kernel.limits.pids
    if limit and len(tasks) >= limit:
        raise CreationError("too many processes in the sandbox", EAGAIN.number)
    credentials = arguments.credentials
    if any(credentials.has_capability(one) for one in (CAP_SYS_ADMIN, CAP_SYS_RESOURCE)):
        return
    mine = sum(1 for task in tasks.values() if task.credentials.uid == credentials.uid)
    if credentials.uid and mine >= arguments.limits.soft(RLIMIT_NPROC):
        raise CreationError("too many processes of the user", EAGAIN.number)


def _make_group(kernel: Kernel, arguments: ProcessArguments) -> ThreadGroup:
    namespace = arguments.pid_namespace or kernel.root_pid_namespace
    group = ThreadGroup(kernel, namespace, SignalHandlers(), arguments.limits, SIGCHLD)
    group.container = arguments.container
    group.program = arguments.program
    group.oom_score_adjustment = arguments.oom_score_adjustment
    return group


def _make_task(
    kernel: Kernel, arguments: ProcessArguments, group: ThreadGroup, namespaces: Namespaces
) -> Task:
    """The task, in an empty address space, leading a session and a process group of its own."""
    context = kernel.platform.new_address_space()
    root = namespaces.mount.root.root_path
    memory = MemoryManager(kernel, context.address_space)
    try:
        task = Task(
            kernel,
            group,
            context,
            credentials=arguments.credentials,
            memory=memory,
            files=arguments.files,
            file_context=FileContext(root, root, arguments.umask),
            namespaces=namespaces,
            name=b"runsc-py",
        )
    except KernelError:
        context.exit()
        memory.release()
        raise
    arguments.files.share()
    if arguments.scheduling is not None:
        set_scheduling(task, arguments.scheduling)
    task.no_new_privileges = arguments.no_new_privileges
    task.watched = task.is_observed()
    if arguments.seccomp_filter is not None:
        from runsc_py.sentry.kernel.seccomp import attach

        attach(task, arguments.seccomp_filter)
    group.leader = task
    group.is_unkillable = task.identifier_in(group.pid_namespace) == 1
    group.tasks.append(task)
    ProcessGroup(Session(group), group).add(group)
    return task


def _set_controlling_terminal(group: ThreadGroup, terminal: Terminal) -> None:
    if terminal.session is not None:
        raise CreationError(f"setting controlling tty: {message_of(EPERM())}", EPERM.number)
    terminal.make_controlling(group)


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
