"""Starting processes: the root container's, a subcontainer's, and those that `exec` adds.

The steps are those of gVisor's startSubcontainer, createContainerProcess and executeAsync.  What
fails takes back all that came before it: a name, a PID namespace's path, a task that never ran.
"""

from __future__ import annotations

import os

from runsc_py.runsc.assembly import create
from runsc_py.runsc.control.errors import NOT_FOUND, STATE, ControlError
from runsc_py.runsc.loader.container_process import ContainerProcess
from runsc_py.runsc.loader.executable import resolve_executable
from runsc_py.runsc.loader.identity import add_home
from runsc_py.runsc.loader.mounts import MountBuilder
from runsc_py.runsc.loader.process_arguments import credentials_of, process_arguments
from runsc_py.runsc.loader.visits import await_visits, expect_visits
from runsc_py.sentry.abi.system import PER_LINUX32
from runsc_py.sentry.kernel.pid_namespace import PidNamespace
from runsc_py.sentry.kernel.process_creation import CreationError, start_process

#: `linux.personality.domain` as personality(2) has it
PERSONALITIES = {"LINUX": 0, "LINUX32": PER_LINUX32}

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.loader.loader import ContainerInformation, Loader
    from runsc_py.runsc.oci.process import Process
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.kernel_thread import KernelThread
    from runsc_py.sentry.kernel.process_creation import ProcessArguments
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.vfs.open_file import OpenFile


def prepare(loader: Loader, information: ContainerInformation, namespace: PidNamespace) -> None:
    """Make the container's mounts, settings and filter.  Raises ControlError."""
    spec, kernel = information.spec, loader.kernel
    builder = MountBuilder(
        kernel,
        spec,
        information.config,
        client=information.client,
        layers=information.layers,
        pid_namespace=namespace,
        terminals=information.container.terminals,
        shared=loader.shared_mounts,
        image_owners=information.image_owners,
        upper_archive=information.upper_archive,
    )
    is_first = information is loader.root
    information.lent = builder.lent
    tree = builder.build(None if is_first else loader.namespaces)
    namespaces = tree.walker.namespaces
    if is_first:
        loader.namespaces = namespaces
        if spec.domainname:
            namespaces.uts.domain_name = os.fsencode(spec.domainname)
    information.mount_namespace = information.container.terminals.namespace = tree.mounts
    linux = spec.linux
    if linux is None:
        return
    if linux.sysctl:
        from runsc_py.runsc.loader.sysctl import apply_sysctls

        apply_sysctls(kernel, linux.sysctl, namespaces, namespace)
    if information.config.oci_seccomp and linux.seccomp is not None:
        from runsc_py.runsc.loader.seccomp import compile_filter

        information.seccomp_filter = compile_filter(linux.seccomp)


def check_executable(loader: Loader, information: ContainerInformation) -> None:
    """Whether the first program exists, so that `create` fails where runc's does."""
    process = information.spec.process
    assert process is not None
    arguments = arguments_of(loader, information, process)
    walker = loader.walker(information, arguments.credentials)
    name = _resolve(walker, arguments)
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
    process = information.spec.process
    assert process is not None
    loader.started(
        identifier, {"cwd": process.cwd, "args": process.args, "terminal": process.terminal}
    )


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
        arguments = arguments_of(loader, information, process)
        arguments.pid_namespace, path = pid_namespace_of(loader, information)
        name = loader.register_name(information)
        loader.containers[identifier] = information
        if information.mount_namespace is None:
            prepare(loader, information, arguments.pid_namespace)
        if entry.visits >= 0:
            descriptor, entry.visits = entry.visits, -1
            await_visits(information, descriptor)
        elif loader.has_unseen_visitors:
            expect_visits(information)
        entry.created = _create(loader, information, entry, process, arguments)
    except BaseException:
        if name:
            del loader.container_ids[name]
        if information is not loader.root:
            loader.containers.pop(identifier, None)
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
        arguments = arguments_of(loader, information, process)
        arguments.pid_namespace = group.pid_namespace
        return _among_mounts(loader, information, arguments)

    StartHooks(information, group, like_first).next()


def pid_namespace_of(loader: Loader, information: ContainerInformation) -> tuple[PidNamespace, str]:
    """The PID namespace a container starts in, and the path that others join it by."""
    kernel = loader.kernel
    wanted = information.spec.namespace("pid")
    if wanted is None or information is loader.root:
        return kernel.root_pid_namespace, wanted.path if wanted is not None else ""
    if wanted.path:
        for entry in loader.processes.values():
            group = entry.group
            if group is None or entry.pid_namespace_path != wanted.path:
                continue
            if not group.pid_namespace.exiting:
                return group.pid_namespace, wanted.path
        kernel.log.warning(f"PID namespace {wanted.path!r} not found, running in new PID namespace")
    number = kernel.new_inode_number()
    made = PidNamespace(kernel.root_pid_namespace, kernel.root_user_namespace, number)
    return made, wanted.path


def execute_in(
    loader: Loader, information: ContainerInformation, process: Process, entry: ContainerProcess
) -> int:
    """Run one more process in a container; its number there.  Takes over the entry's files."""
    try:
        group, init = _execute(loader, information, process, entry)
    except BaseException:
        entry.close()
        raise
    pid = group.identifier_in(init.pid_namespace)
    loader.processes[information.identifier, pid] = entry
    if entry.program is not None:
        entry.program.watch(group)
    start_process(group)
    return pid


def _execute(
    loader: Loader, information: ContainerInformation, process: Process, entry: ContainerProcess
) -> tuple[ThreadGroup, ThreadGroup]:
    """The new process, and the container's first one."""
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
    arguments = arguments_of(loader, information, process)
    arguments.pid_namespace = init.pid_namespace
    if entry.program is not None:
        arguments.program = entry.program.processes
    entry.group = _create(loader, information, entry, process, arguments)
    return entry.group, init


def arguments_of(
    loader: Loader, information: ContainerInformation, process: Process
) -> ProcessArguments:
    """What the specification says of a process of a container.  Raises ControlError."""
    namespace = loader.kernel.root_user_namespace
    try:
        credentials = credentials_of(process, information.config, namespace)
    except ControlError as error:
        raise error.within("getting root credentials") from None
    try:
        arguments = process_arguments(process, credentials)
    except ControlError as error:
        raise error.within("creating new process") from None
    arguments.container = information.container
    return arguments


def _among_mounts(
    loader: Loader, information: ContainerInformation, arguments: ProcessArguments
) -> tuple[ProcessArguments, KernelThread]:
    """The same once there are mounts, and who walks there as the process will."""
    walker = loader.walker(information, arguments.credentials)
    arguments.namespaces = walker.namespaces
    arguments.seccomp_filter = information.seccomp_filter
    linux = information.spec.linux
    if linux is not None and linux.personality is not None:
        arguments.personality = PERSONALITIES[linux.personality.domain]
    return arguments, walker


def _create(
    loader: Loader,
    information: ContainerInformation,
    entry: ContainerProcess,
    process: Process,
    arguments: ProcessArguments,
) -> ThreadGroup:
    """Create the process in its container; it has its program and is not started."""
    _, walker = _among_mounts(loader, information, arguments)
    if entry.executable >= 0:
        arguments.file = _given_program(entry, arguments, loader.kernel)
    else:
        arguments.file_name = _resolve(walker, arguments)
    add_home(walker, arguments.environment, arguments.credentials.uid)
    terminals = information.container.terminals
    descriptors = entry.take_files(process.terminal)
    try:
        group = create(
            walker, arguments, terminals, descriptors, controls_terminal=process.terminal
        )
    except CreationError as error:
        raise ControlError.of_creation(f"creating process: {error}", error.number) from None
    entry.terminal = arguments.terminal
    return group


def _given_program(
    entry: ContainerProcess, arguments: ProcessArguments, kernel: Kernel
) -> OpenFile:
    """The program that came as a descriptor."""
    from runsc_py.sentry.fs.host_executable import open_host_executable

    descriptor, entry.executable = entry.executable, -1
    name = os.path.basename(arguments.argv[0]) or b"program"
    owner = (arguments.credentials.euid, arguments.credentials.egid)
    return open_host_executable(kernel, descriptor, name, owner)


def _resolve(walker: KernelThread, arguments: ProcessArguments) -> bytes:
    """The program's path: what argv[0] means to the process."""
    return resolve_executable(
        walker, arguments.argv[0], arguments.environment, arguments.working_directory
    )
