"""Processes without a parent: the first of a container, and those that `exec` adds.

`create_process` makes one that is ready to run, `start_process` lets it, `abort_unstarted` gives
back one that never ran.  A failure leaves nothing: no number, no stub, no reference.
"""

from __future__ import annotations

from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from runsc_py.sentry.errors import EAGAIN, EINVAL, ENOTDIR, EPERM, KernelError, message_of
from runsc_py.sentry.kernel.execution import NewImage, load_program, take_up
from runsc_py.sentry.kernel.fd_table import FdTable
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.limits import RLIMIT_NPROC, Limits, is_full
from runsc_py.sentry.kernel.scheduling import set_scheduling
from runsc_py.sentry.kernel.sessions import ProcessGroup, Session
from runsc_py.sentry.kernel.signals import SignalHandlers
from runsc_py.sentry.kernel.task import DEAD, Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.fs.devpts.terminal import Terminal
    from runsc_py.sentry.kernel.containers import Container, Program
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.namespaces import Namespaces
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.scheduling import Scheduling
    from runsc_py.sentry.kernel.seccomp import Filter
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

SIGCHLD = 17


class CreationError(Exception):
    """Why there is no process: a text, and the errno behind it (0 for none)."""

    def __init__(self, message: str, number: int = 0) -> None:
        super().__init__(message)
        self.number = number


class NoWorkingDirectory(CreationError):
    """There is no such directory."""


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
        "limits",
        "namespaces",
        "no_new_privileges",
        "oom_score_adjustment",
        "personality",
        "pid_namespace",
        "program",
        "scheduling",
        "seccomp_filter",
        "terminal",
        "umask",
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
        self.namespaces: Namespaces | None = None
        #: None: the sandbox's
        self.pid_namespace: PidNamespace | None = None
        self.container: Container | None = None
        self.program: Program | None = None
        #: becomes the controlling terminal
        self.terminal: Terminal | None = None
        #: in force from the first instruction on
        self.seccomp_filter: Filter | None = None
        self.oom_score_adjustment = 0
        #: personality(2)
        self.personality = 0
        #: None: as every process without a wish has it
        self.scheduling: Scheduling | None = None


def create_process(kernel: Kernel, arguments: ProcessArguments) -> tuple[ThreadGroup, int]:
    """A process that has its program, and its number in the root PID namespace.

    Raises CreationError.  The first one ever becomes `kernel.init`.
    """
    kernel.log.debug(f"EXEC: {arguments.argv!r}")
    namespaces = _namespaces(kernel, arguments)
    walker = KernelThread(
        kernel,
        namespaces,
        credentials=arguments.credentials,
        limits=arguments.limits,
        umask=arguments.umask,
    )
    walker.no_new_privileges = arguments.no_new_privileges
    missing: NoWorkingDirectory | None = None
    try:
        # By the superuser: who may not search it may well start in it, as runc has it.
        directory = _working_directory(KernelThread(kernel, namespaces), arguments)
        walker.file_context.working_directory = directory
    except NoWorkingDirectory as error:
        missing = error
    try:
        image = _load(walker, arguments)
    except CreationError as error:
        raise missing or error from None
    try:
        _check_limits(kernel, arguments)
        task = _make_task(kernel, arguments, image, walker)
    except BaseException as error:
        image.discard()
        if isinstance(error, KernelError):
            raise CreationError(f"creating task: {message_of(error)}", error.number) from None
        raise
    group = task.thread_group
    try:
        _equip(task, arguments)
        if missing is not None:
            # It may be below /proc/self.
            task.file_context.working_directory = _working_directory(task, arguments)
        take_up(task, image)
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
    if task.seccomp_filter is not None:
        from runsc_py.sentry.kernel.seccomp import release_filters

        release_filters(task)
    task.files.release(task)
    task.file_context.release()
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
    task.pid_namespace.withdraw(task)
    if kernel.init is group:
        kernel.init = None


def _namespaces(kernel: Kernel, arguments: ProcessArguments) -> Namespaces:
    """Those given, or those of the kernel's first process."""
    if arguments.namespaces is not None:
        return arguments.namespaces
    if kernel.init is None:
        raise CreationError("mount namespace is nil")
    return kernel.init.leader.namespaces


def _working_directory(who: Task, arguments: ProcessArguments) -> Path:
    """Errors: NoWorkingDirectory."""
    name = arguments.working_directory
    try:
        place = walk(who, name or b"/")
        if not place.inode.is_directory:
            raise ENOTDIR
    except KernelError as error:
        text = f'failed to find initial working directory "{_text(name)}": {message_of(error)}'
        raise NoWorkingDirectory(text, error.number) from None
    return place


def _load(walker: KernelThread, arguments: ProcessArguments) -> NewImage:
    """The program, in an address space of its own."""
    name, file = arguments.file_name, arguments.file
    if not name and file is not None:
        name = walker.kernel.path_name(file.path)
    elif not name:
        if not arguments.argv:
            raise CreationError("no filename or command provided", EINVAL.number)
        name = arguments.argv[0]
        if not name.startswith(b"/"):
            raise CreationError(f"'{_text(name)}' is not an absolute path", EINVAL.number)
    try:
        path = file.path if file is not None and not arguments.file_name else walk(walker, name)
        return load_program(walker, path, name, arguments.argv or [name], arguments.environment)
    except KernelError as error:
        text = f"failed to load {_text(name)}: {message_of(error)}"
        raise CreationError(text, error.number) from None


def _check_limits(kernel: Kernel, arguments: ProcessArguments) -> None:
    """The sandbox's limit on processes, and the user's."""
    tasks = kernel.root_pid_namespace.tasks
    limit = kernel.limits.pids
    if limit and len(tasks) >= limit:
        raise CreationError("too many processes in the sandbox", EAGAIN.number)
    if is_full(arguments.container):
        raise CreationError("too many processes in the container", EAGAIN.number)
    credentials = arguments.credentials
    if any(credentials.has_capability(one) for one in (CAP_SYS_ADMIN, CAP_SYS_RESOURCE)):
        return
    mine = sum(1 for task in tasks.values() if task.credentials.uid == credentials.uid)
    if credentials.uid and mine >= arguments.limits.soft(RLIMIT_NPROC):
        raise CreationError("too many processes of the user", EAGAIN.number)


def _make_task(
    kernel: Kernel, arguments: ProcessArguments, image: NewImage, walker: KernelThread
) -> Task:
    """The only task of a new process.  Errors: ENOMEM (its PID namespace ends), EAGAIN."""
    namespace = arguments.pid_namespace or kernel.root_pid_namespace
    group = ThreadGroup(kernel, namespace, SignalHandlers(), arguments.limits, SIGCHLD)
    group.container = arguments.container
    group.program = arguments.program
    group.oom_score_adjustment = arguments.oom_score_adjustment
    task = Task(
        kernel,
        group,
        image.context,
        credentials=arguments.credentials,
        memory=image.memory,
        files=arguments.files,
        file_context=walker.file_context,
        namespaces=walker.namespaces,
        name=b"runsc-py",
    )
    arguments.files.share()
    group.leader = task
    group.tasks.append(task)
    return task


def _equip(task: Task, arguments: ProcessArguments) -> None:
    """A session and a process group of its own, and what else the process is to have."""
    group = task.thread_group
    namespace, kernel = group.pid_namespace, task.kernel
    is_ordinary = kernel.reaps_orphans and namespace is kernel.root_pid_namespace
    group.is_unkillable = task.identifier_in(namespace) == 1 and not is_ordinary
    ProcessGroup(Session(group), group).add(group)
    if arguments.scheduling is not None:
        set_scheduling(task, arguments.scheduling)
    task.no_new_privileges = arguments.no_new_privileges
    if arguments.personality:
        task.extras["personality"] = arguments.personality
    if arguments.seccomp_filter is not None:
        from runsc_py.sentry.kernel.seccomp import attach

        attach(task, arguments.seccomp_filter)
    if arguments.terminal is not None:
        _set_controlling_terminal(group, arguments.terminal)


def _set_controlling_terminal(group: ThreadGroup, terminal: Terminal) -> None:
    if terminal.session is not None:
        raise CreationError(f"setting controlling tty: {message_of(EPERM())}", EPERM.number)
    terminal.make_controlling(group)


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")
