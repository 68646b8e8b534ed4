"""Starting processes: the root container's, a subcontainer's, and those that `exec` adds.

The steps are those of gVisor's startSubcontainer, createContainerProcess and executeAsync.  What
fails takes back all that came before it: a name, a PID namespace's path, a task that never ran.
"""

from __future__ import annotations

import os

from runsc_py.runsc.control.errors import NOT_FOUND, STATE, ControlError
from runsc_py.runsc.loader.executable import resolve_executable
from runsc_py.runsc.loader.identity import add_home
from runsc_py.runsc.loader.loader import ContainerProcess
from runsc_py.runsc.loader.mounts import MountBuilder
from runsc_py.runsc.loader.process_arguments import (
    credentials_of,
    limits_of,
    resolve_environment,
    scheduling_of,
)
from runsc_py.runsc.loader.visits import await_visits
from runsc_py.sentry.fs.host_stdio import open_standard_files
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.pid_namespace import PidNamespace
from runsc_py.sentry.kernel.process_creation import (
    CreationError,
    ProcessArguments,
    create_process,
    start_process,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.loader.loader import ContainerInformation, Loader
    from runsc_py.runsc.oci.process import Process
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.fs.devpts.terminal import Terminal
    from runsc_py.sentry.kernel.limits import Limits
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.vfs.open_file import OpenFile


def prepare(loader: Loader, information: ContainerInformation, namespace: PidNamespace) -> None:
    """Make the container's mounts.  Raises ControlError."""
    namespaces = loader.namespaces.copy()
    builder = MountBuilder(
        loader.kernel,
        information.spec,
        information.config,
        client=information.client,
        layers=information.layers,
        pid_namespace=namespace,
        terminals=information.container.terminals,
        shared=loader.shared_mounts,
        image_owners=information.image_owners,
    )
    information.mount_namespace = builder.build(namespaces)
    information.container.terminals.namespace = information.mount_namespace
    linux = information.spec.linux
    if linux is not None and linux.sysctl:
        from runsc_py.runsc.loader.sysctl import apply_sysctls

        apply_sysctls(loader.kernel, linux.sysctl, namespaces, namespace)


def check_executable(loader: Loader, information: ContainerInformation) -> None:
    """Whether the first program exists, so that `create` fails where runc's does."""
    process = information.spec.process
    assert process is not None
    arguments = _arguments(loader, information, process)
    walker = walker_in(loader, information, arguments.credentials)
    name = resolve_executable(
        walker, os.fsencode(process.args[0]), arguments.environment, os.fsencode(process.cwd)
    )
    from runsc_py.sentry.errors import KernelError, message_of
    from runsc_py.sentry.kernel.execution import open_executable
    from runsc_py.sentry.vfs.walk import walk

    try:
        open_executable(walker, walk(walker, name)).drop()
    except KernelError as error:
        shown = os.fsdecode(name)
        raise ControlError.of_creation(
            f'exec: "{shown}": stat {shown}: {message_of(error).lower()}', error.number
        ) from None


def start_container(loader: Loader, information: ContainerInformation) -> None:
    """Start a reserved container's first process; all or nothing.  Raises ControlError."""
    identifier = information.identifier
    entry = loader.processes.get((identifier, 0))
    if entry is None:
        raise ControlError(f'trying to start a deleted container "{identifier}"', NOT_FOUND)
    if entry.group is not None:
        raise ControlError(f'container "{identifier}" already started', STATE)
    entry.group = _first_process(loader, information, entry)
    _let_go(loader, information, entry.group)
    loader.started(identifier)


def _first_process(
    loader: Loader, information: ContainerInformation, entry: ContainerProcess
) -> ThreadGroup:
    """The first process of a container, created if it is not, and not started."""
    if entry.created is not None:
        return entry.created
    identifier = information.identifier
    process = information.spec.process
    if process is None:
        raise ControlError("start arguments missing process")
    loader.failed_to_start.add(identifier)
    name = ""
    try:
        namespace, path = pid_namespace_of(loader, information)
        name = loader.register_name(information)
        loader.containers[identifier] = information
        if information.mount_namespace is None:
            prepare(loader, information, namespace)
        if entry.visits >= 0:
            descriptor, entry.visits = entry.visits, -1
            await_visits(information, descriptor)
        arguments = _arguments(loader, information, process)
        arguments.pid_namespace = namespace
        entry.created = _create(loader, information, entry, process, arguments)
    except BaseException:
        if name:
            del loader.container_ids[name]
        entry.close()
        raise
    entry.pid_namespace_path = path
    loader.failed_to_start.discard(identifier)
    return entry.created


def _let_go(loader: Loader, information: ContainerInformation, group: ThreadGroup) -> None:
    """Run the hooks that come before the first process, and then that."""
    hooks, process = information.spec.hooks, information.spec.process
    if hooks is None or not hooks.start_container or process is None:
        start_process(group)
        return
    from runsc_py.runsc.loader.start_hooks import StartHooks

    def like_first() -> tuple[ProcessArguments, KernelThread]:
        arguments = _arguments(loader, information, process)
        return arguments, walker_in(loader, information, arguments.credentials)

    StartHooks(information, group, like_first).next()


def pid_namespace_of(loader: Loader, information: ContainerInformation) -> tuple[PidNamespace, str]:
    """The PID namespace a container starts in, and the path that others join it by."""
    kernel = loader.kernel
    wanted = information.spec.namespace("pid")
    if wanted is None or information is loader.root:
        return kernel.root_pid_namespace, wanted.path if wanted is not None else ""
    if wanted.path:
        for entry in loader.processes.values():
            if entry.group is not None and entry.pid_namespace_path == wanted.path:
                return entry.group.pid_namespace, wanted.path
        kernel.log.warning(f"PID namespace {wanted.path!r} not found, running in new PID namespace")
    number = kernel.new_inode_number()
    made = PidNamespace(kernel.root_pid_namespace, kernel.root_user_namespace, number)
    return made, wanted.path


def execute_in(
    loader: Loader,
    information: ContainerInformation,
    process: Process,
    entry: ContainerProcess,
) -> int:
    """Run one more process in a container; its number there.  Takes over `entry`'s descriptors."""
    first = loader.processes[information.identifier, 0]
    if first.group is None and information is loader.root:
        # It joins the namespaces of the first process, which has to have the first number.
        init = _first_process(loader, information, first)
    else:
        init = loader.process(information.identifier)
    if init.exiting or information.mount_namespace is None:
        raise ControlError(f'container "{information.identifier}" has stopped', STATE)
    if not process.args:
        raise ControlError("no filename or command provided")
    arguments = _arguments(loader, information, process)
    arguments.pid_namespace = init.pid_namespace
    if entry.program is not None:
        arguments.program = entry.program.processes
    group = entry.group = _create(loader, information, entry, process, arguments)
    pid = group.identifier_in(init.pid_namespace)
    loader.processes[information.identifier, pid] = entry
    if entry.program is not None:
        entry.program.watch(group)
    start_process(group)
    return pid


def _arguments(
    loader: Loader, information: ContainerInformation, process: Process
) -> ProcessArguments:
    """What the specification says of a process, without its files."""
    arguments = process_arguments(
        loader,
        information,
        [os.fsencode(argument) for argument in process.args],
        credentials_of(process, information.config, loader.kernel.root_user_namespace),
        limits_of(process.rlimits),
        resolve_environment(process.env),
    )
    arguments.working_directory = os.fsencode(process.cwd or "/")
    if process.user.umask is not None:
        arguments.umask = process.user.umask & 0o777
    arguments.no_new_privileges = process.no_new_privileges
    arguments.oom_score_adjustment = process.oom_score_adj or 0
    arguments.scheduling = scheduling_of(process)
    return arguments


def process_arguments(
    loader: Loader,
    information: ContainerInformation,
    argv: list[bytes],
    credentials: Credentials,
    limits: Limits,
    environment: list[bytes],
) -> ProcessArguments:
    """A process of a container: what comes of the container."""
    arguments = ProcessArguments(argv, credentials, limits)
    arguments.environment = environment
    arguments.mount_namespace = information.mount_namespace
    arguments.uts_namespace = loader.namespaces.uts
    arguments.ipc_namespace = loader.namespaces.ipc
    arguments.network_namespace = loader.namespaces.network
    arguments.time_namespace = information.time_namespace
    arguments.container = information.container
    arguments.seccomp_filter = information.seccomp_filter
    return arguments


def walker_in(
    loader: Loader, information: ContainerInformation, credentials: Credentials | None = None
) -> KernelThread:
    """Somebody to look for a container's files, the superuser unless it is said who."""
    namespaces = loader.namespaces.copy()
    assert information.mount_namespace is not None
    namespaces.mount = information.mount_namespace
    root = information.mount_namespace.root.root_path
    walker = KernelThread(loader.kernel, namespaces, root, credentials=credentials)
    loader.kernel.current_task = walker
    return walker


def _create(
    loader: Loader,
    information: ContainerInformation,
    entry: ContainerProcess,
    process: Process,
    arguments: ProcessArguments,
) -> ThreadGroup:
    """Create the process in its container; it has its program and is not started."""
    walker = walker_in(loader, information, arguments.credentials)
    try:
        arguments.terminal = _import_files(information, entry, process, arguments)
        if entry.executable >= 0:
            arguments.file = _given_program(loader, entry, arguments)
        else:
            arguments.file_name = resolve_executable(
                walker, arguments.argv[0], arguments.environment, arguments.working_directory
            )
        add_home(walker, arguments.environment, arguments.credentials.uid)
        group, _ = create_process(loader.kernel, arguments)
    except CreationError as error:
        raise ControlError.of_creation(f"creating process: {error}", error.number) from None
    finally:
        arguments.files.release(walker)
    entry.terminal = arguments.terminal
    return group


def _given_program(
    loader: Loader, entry: ContainerProcess, arguments: ProcessArguments
) -> OpenFile:
    """The program that came as a descriptor."""
    from runsc_py.sentry.fs.host_executable import open_host_executable

    descriptor, entry.executable = entry.executable, -1
    name = os.path.basename(arguments.argv[0]) or b"program"
    owner = (arguments.credentials.euid, arguments.credentials.egid)
    return open_host_executable(loader.kernel, descriptor, name, owner)


def _import_files(
    information: ContainerInformation,
    entry: ContainerProcess,
    process: Process,
    arguments: ProcessArguments,
) -> Terminal | None:
    """Standard files and those passed on; the terminal, when the process has one."""
    terminals = information.container.terminals
    owner = (arguments.credentials.euid, arguments.credentials.egid)
    terminal = None
    if process.terminal:
        if entry.standard_files:
            raise ControlError(f"using TTY, stdios not expected: {len(entry.standard_files)}")
        if entry.host_terminal < 0:
            raise ControlError(
                "terminal enabled but no TTY provided. Did you set --console-socket on create?"
            )
        descriptor, entry.host_terminal = entry.host_terminal, -1
        (file,) = open_standard_files(terminals, (descriptor,), owner)
        if file is None or not hasattr(file, "terminal"):
            raise ControlError("the TTY that was provided is no terminal")
        terminal = file.terminal
        files: list[OpenFile | None] = [file, file, file]
    else:
        given, entry.standard_files = entry.standard_files, ()
        files = open_standard_files(terminals, given, owner)
    for number, one in enumerate(files):
        if one is not None:
            arguments.files.install(number, one)
    passed, entry.passed_files = entry.passed_files, {}
    for number, descriptor in sorted(passed.items()):
        if number < 0:
            raise ControlError("guest file descriptors must be 0 or greater")
        if number < len(files):
            raise ControlError(f"app FD {number} displaced while importing FDs")
        (one,) = open_standard_files(terminals, (descriptor,), owner)
        if one is not None:
            arguments.files.install(number, one)
    return terminal
