"""`Lifecycle.*`: containers as an embedder drives them, without an OCI process.

The embedder has mounts and a PID namespace made ahead of time (`PrepareNamespaces`), and starts a
process in them when it needs one (`StartContainer`), which is quick then.  The steps are those of
gVisor's Lifecycle.StartContainer, in its order; what it gets wrong is done right: the policy on
capabilities is that of every container, an unknown user is an error, soft limits are not above hard
ones, no descriptor is given twice, and nothing is left of a start that fails.
"""

from __future__ import annotations

import os

from runsc_py.runsc.assembly import create
from runsc_py.runsc.control import calls
from runsc_py.runsc.control.errors import EXISTS, NOT_FOUND, STATE, UNSUPPORTED, ControlError
from runsc_py.runsc.loader.container_process import ContainerProcess
from runsc_py.runsc.loader.executable import resolve_executable
from runsc_py.runsc.loader.identity import add_home, look_up_user
from runsc_py.runsc.loader.loader import ContainerInformation, failing_alone
from runsc_py.runsc.loader.process_arguments import initial_limits, set_limit, withheld_by
from runsc_py.runsc.loader.start import pid_namespace_of, prepare
from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES
from runsc_py.sentry.auth.credentials import user_credentials
from runsc_py.sentry.fs.sys.control_group import CONTROLLERS
from runsc_py.sentry.kernel.limits import RLIMIT_NAMES
from runsc_py.sentry.kernel.process_creation import (
    CreationError,
    ProcessArguments,
    start_process,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control.server import ControlServer, Deferred
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.sentry.kernel.kernel_thread import KernelThread
    from runsc_py.sentry.kernel.limits import Limits
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.socket.namespace import NetworkNamespace


class Lifecycle:
    """Handlers of `Lifecycle.*`."""

    def __init__(self, loader: Loader, server: ControlServer) -> None:
        self._loader = loader
        self._kernel = loader.kernel
        for kind, handler in (
            (calls.PrepareNamespaces, self.prepare_namespaces),
            (calls.StartContainer, self.start_container),
            (calls.GetExitStatus, self.exit_status),
            (calls.Reap, self.reap),
            (calls.IsContainerRunning, self.is_running),
            (calls.SignalContainer, self.signal),
            (calls.PauseExternalNetworking, self.pause_networking),
            (calls.ResumeExternalNetworking, self.resume_networking),
        ):
            server.register(kind, handler)

    # -- starting ------------------------------------------------------------------------------

    def prepare_namespaces(
        self, call: calls.PrepareNamespaces, files: list[int], later: Deferred
    ) -> None:
        """Make the mounts and the PID namespace of a container."""
        loader, identifier = self._loader, call.container_id
        if not identifier:
            raise ControlError("container ID missing")
        self._check_new(identifier)
        if identifier in self._loader.prepared:
            raise ControlError(f"container id: {identifier} is prepared already", EXISTS)
        if len(files) != 1:
            raise ControlError(f"one FD of a gofer is needed, got {len(files)}")
        information = ContainerInformation.decode(
            self._kernel, identifier, call.spec, call.config, call.gofer_mounts
        )
        information.connect(files.pop())
        try:
            with failing_alone(information):
                namespace, _ = pid_namespace_of(loader, information)
                prepare(loader, information, namespace)
        except BaseException:
            information.disconnect()
            raise
        loader.prepared[identifier] = information, namespace

    def start_container(
        self, call: calls.StartContainer, files: list[int], later: Deferred
    ) -> None:
        """Start a process in prepared namespaces."""
        clock = self._kernel.clock
        requested = clock.realtime()
        self._kernel.log.debug(f"StartContainer: {call.masked()}")
        if len(files) != len(call.donated_fds):
            raise ControlError(
                "FilePayload.Files and DonatedFDs must have same number of elements "
                f"({len(files)} != {len(call.donated_fds)})"
            )
        identifier = call.container_id
        self._check_new(identifier)
        if identifier not in self._loader.prepared:
            raise ControlError(f"mount namespace is nil for {identifier}", NOT_FOUND)
        self._loader.check_started("start container")
        information, namespace = self._loader.prepared[identifier]
        arguments, walker = self._arguments(call, information, namespace)
        group = self._create(call, files, information, arguments, walker)
        del self._loader.prepared[identifier]
        loader = self._loader
        entry = ContainerProcess()
        entry.group = group
        loader.processes[identifier, 0] = entry
        loader.containers[identifier] = information
        starting = clock.realtime()
        start_process(group)
        loader.started(
            identifier,
            {
                "started": True,
                "request_received": requested,
                "container_process_starting": starting,
                "request_completed": clock.realtime(),
            },
        )

    def _check_new(self, identifier: str) -> None:
        if (identifier, 0) in self._loader.processes:
            raise ControlError(f"container id: {identifier} already exists", EXISTS)

    def _arguments(
        self,
        call: calls.StartContainer,
        information: ContainerInformation,
        namespace: PidNamespace,
    ) -> tuple[ProcessArguments, KernelThread]:
        """All but the descriptors, and who may look for the process's files."""
        loader, kernel = self._loader, self._kernel
        uid, gid = call.kuid, call.kgid
        if call.user:
            if uid or gid:
                raise ControlError(
                    "both an explicit UID/GID and a user name, "
                    "only one or the other may be provided"
                )
            identity = look_up_user(loader.walker(information), call.user)
            uid, gid = identity.uid, identity.gid
        granted = ALL_CAPABILITIES & ~withheld_by(information.config)
        credentials = user_credentials(kernel.root_user_namespace, uid, gid, (), granted)
        argv = [os.fsencode(word) for word in call.argv]
        # Secrets come last, and so win where the last one of a name counts.
        environment = [os.fsencode(entry) for entry in (*call.envv, *call.secret_envv)]
        arguments = ProcessArguments(argv, credentials, _limits(call.limits))
        arguments.environment = environment
        walker = loader.walker(information, credentials)
        arguments.namespaces, arguments.pid_namespace = walker.namespaces, namespace
        arguments.container = information.container
        arguments.seccomp_filter = information.seccomp_filter
        arguments.working_directory = os.fsencode(call.wd)
        arguments.file_name = os.fsencode(call.filename)
        name = arguments.file_name or (argv[0] if argv else b"")
        if call.resolve_binary_path:
            try:
                arguments.file_name = resolve_executable(
                    walker, name, environment, arguments.working_directory
                )
            except ControlError as error:
                raise error.within("failed to resolve binary path") from None
        if call.resolve_home:
            add_home(walker, environment, uid)
        _check_groups(call.initial_cgroups)
        return arguments, walker

    def _create(
        self,
        call: calls.StartContainer,
        files: list[int],
        information: ContainerInformation,
        arguments: ProcessArguments,
        walker: KernelThread,
    ) -> ThreadGroup:
        """The process, which has the descriptors."""
        numbers = call.donated_fds
        if len(set(numbers)) != len(numbers):
            raise ControlError("error importing host files: a guest file descriptor is given twice")
        if any(number < 0 for number in numbers):
            raise ControlError("guest file descriptors must be 0 or greater")
        descriptors = dict(sorted(zip(numbers, files, strict=True)))
        files.clear()
        try:
            return create(walker, arguments, information.container.terminals, descriptors)
        except CreationError as error:
            raise ControlError.of_creation(str(error), error.number) from None

    # -- afterwards ----------------------------------------------------------------------------

    def exit_status(self, call: calls.GetExitStatus, files: list[int], later: Deferred) -> int:
        """How a container has ended; its exit event is sent once more."""
        group = self._group(call.container_id)
        if group is None:
            raise ControlError(
                f'container "{call.container_id}" doesn\'t exist, or has not been started',
                NOT_FOUND,
            )
        if not _has_stopped(group):
            raise ControlError(f'container "{call.container_id}" hasn\'t exited yet', STATE)
        self._announce_exit(call.container_id, group)
        return group.exit_status

    def reap(self, call: calls.Reap, files: list[int], later: Deferred) -> None:
        """Have the exit event sent once more if there was one."""
        if not self._loader.listeners:
            raise ControlError("no event emitters configured", STATE)
        group = self._group(call.container_id)
        if group is None:
            raise ControlError(f'no container with id "{call.container_id}"', NOT_FOUND)
        if _has_stopped(group):
            self._announce_exit(call.container_id, group)

    def is_running(self, call: calls.IsContainerRunning, files: list[int], later: Deferred) -> bool:
        """Whether something runs in there."""
        group = self._group(call.container_id)
        if group is None or _has_stopped(group):
            return False
        return self._loader.containers[call.container_id].container.task_count > 0

    def signal(self, call: calls.SignalContainer, files: list[int], later: Deferred) -> None:
        """Signal the first process, or all."""
        group = self._group(call.container_id)
        if group is None:
            raise ControlError(f"container {call.container_id} not started", STATE)
        if _has_stopped(group):
            raise ControlError(f"{call.container_id} container not running", STATE)
        mode = calls.TO_ALL if call.all else calls.TO_PROCESS
        self._loader.signal(call.container_id, call.signal, 0, mode)

    def pause_networking(
        self, call: calls.PauseExternalNetworking, files: list[int], later: Deferred
    ) -> None:
        """Hold what goes to and comes from other machines."""
        self._host_network().hold()

    def resume_networking(
        self, call: calls.ResumeExternalNetworking, files: list[int], later: Deferred
    ) -> None:
        """Let it pass again."""
        self._host_network().let_go()

    def _host_network(self) -> NetworkNamespace:
        network = self._loader.namespaces.network
        if not network.uses_host:
            raise ControlError(
                "the sandbox has no external network",
                UNSUPPORTED,
                hint="sandboxes with --network=host have one",
            )
        return network

    def _group(self, identifier: str) -> ThreadGroup | None:
        entry = self._loader.processes.get((identifier, 0))
        return entry.group if entry is not None else None

    def _announce_exit(self, identifier: str, group: ThreadGroup) -> None:
        data: dict[str, object] = {"exit_status": group.exit_status}
        self._loader.announce(calls.EventMessage("exited", identifier, data))


def _has_stopped(group: ThreadGroup) -> bool:
    return group.exiting and not group.tasks


def _check_groups(groups: dict[str, str]) -> None:
    """Whether there are such control groups, by controller.  Raises ControlError.

    There is one, the container's own, which every process is in and which has all controllers.
    """
    for controller, path in groups.items():
        if controller not in CONTROLLERS:
            reason = f"no such controller, there are {', '.join(CONTROLLERS)}"
        elif os.path.normpath(path.strip("/")) != ".":
            reason = f"no group {path!r} in the container's, and none can be made"
        else:
            continue
        raise ControlError(
            f"FindCgroup can't locate cgroup controller: {controller} err: {reason}", NOT_FOUND, 2
        )


def _limits(values: dict[str, list[int]]) -> Limits:
    """A distribution's, with those that are given.  Raises ControlError."""
    limits = initial_limits()
    for name, pair in values.items():
        if name not in RLIMIT_NAMES:
            raise ControlError(f'unknown limit "{name}"')
        if len(pair) != 2 or min(pair) < 0:
            raise ControlError(f"limit {name}: a soft and a hard limit expected")
        set_limit(limits, name, pair[0], pair[1], name)
    return limits
