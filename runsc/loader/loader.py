"""The containers of a sandbox: who there is, what runs in them, how they start and end.

The table `processes` leads from (container id, pid) to a process; pid 0 stands for the container's
first one.  Everything happens between two rounds of the run loop: there are no locks.

Neighbours: start.py (the steps of a start), manager.py (the control calls).
"""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager

from runsc_py.gofer.client import GoferClient, GoferError
from runsc_py.runsc.config import Config
from runsc_py.runsc.control import calls
from runsc_py.runsc.control.errors import EXISTS, NOT_FOUND, STATE, ControlError
from runsc_py.runsc.loader.container_process import ContainerProcess
from runsc_py.runsc.loader.gofer_mounts import GoferMountConfiguration
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
from runsc_py.sentry.kernel.containers import Container, OneTimeWaiter
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.task import DEAD
from runsc_py.sentry.kernel.waiting import POLLRDHUP, WaitQueue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket as Socket
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from runsc_py.runsc.loader.programs import LimitedProgram
    from runsc_py.runsc.loader.shared_mounts import SharedMounts
    from runsc_py.runsc.loader.visits import Visits
    from runsc_py.runsc.oci.spec import Spec
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.namespaces import Namespaces
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.seccomp import Filter
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.kernel.time_namespace import TimeNamespace
    from runsc_py.sentry.vfs.mount import MountNamespace

# States of the loader.
CREATED = "created"
STARTED = "started"

#: annotations that name a container
NAME_ANNOTATIONS = ("io.kubernetes.cri.container-name", "io.kubernetes.cri-o.ContainerName")
#: those that give it another one: `OLD=NEW`
RENAMING = "dev.gvisor.container-name-remap."

SIGKILL = 9
#: INT, QUIT, TSTP, WINCH: what a terminal sends to its foreground group
OF_TERMINALS = (2, 3, 20, 28)
SECOND = 1_000_000_000


class ContainerInformation:
    """What a container is to be, and what it has become."""

    __slots__ = (
        "bundle", "client", "config", "connection", "container", "identifier", "image_owners",
        "layers", "lent", "mount_namespace", "seccomp_filter", "spec", "time_namespace",
        "upper_archive", "visits",
    )  # fmt: skip

    def __init__(
        self,
        kernel: Kernel,
        identifier: str,
        spec: Spec,
        config: Config,
        layers: list[GoferMountConfiguration],
    ) -> None:
        self.identifier = identifier
        self.spec = spec
        self.config = config
        self.layers = layers
        #: its directory, as hooks are told
        self.bundle = ""
        self.container = Container(kernel, identifier, TerminalRegistry(kernel))
        #: what the host does not know of the root's files (images/owners.py)
        #: an archive that the root's upper layer begins with; -1 for none
        self.upper_archive = -1
        self.image_owners: dict[int, tuple[int, int, int]] | None = None
        self.client: GoferClient | None = None
        #: who looks whether the engine opens files of the root directory
        self.visits: Visits | None = None
        #: the gofer's socket, closed with the container
        self.connection: GoferMonitor | None = None
        #: None: the machine's time
        self.time_namespace = _time_namespace(kernel, spec)
        #: of every process of the container
        self.seccomp_filter: Filter | None = None
        #: mounts of the gofer that other containers use as well (shared_mounts.py)
        self.lent: set[int] = set()
        #: while the container's first process lives
        self.mount_namespace: MountNamespace | None = None

    @classmethod
    def decode(
        cls,
        kernel: Kernel,
        identifier: str,
        spec: bytes,
        config: dict[str, object],
        gofer_mounts: list[str],
    ) -> ContainerInformation:
        """From a control call's arguments.  Raises RunscError, ControlError."""
        from runsc_py.runsc.oci.reading import decode_spec

        layers = [GoferMountConfiguration.parse(text) for text in gofer_mounts]
        if not layers:
            raise ControlError("start arguments missing gofer mounts")
        return cls(kernel, identifier, decode_spec(spec), _config(config), layers)

    def connect(self, descriptor: int) -> None:
        """Use a gofer; its death is the container's.  Takes over the descriptor.

        Raises ControlError.
        """
        from _socket import AF_UNIX, SOCK_SEQPACKET
        from _socket import socket as Socket

        kernel = self.container.kernel
        try:
            connection = Socket(AF_UNIX, SOCK_SEQPACKET, 0, descriptor)
        except OSError:
            os.close(descriptor)
            raise ControlError("the gofer's descriptor is no socket") from None
        self.connection = GoferMonitor(kernel, connection, self.container.kill)
        self.client = GoferClient(connection)

    def disconnect(self) -> None:
        """Let go of the gofer, and of the mounts with all that is open of them on the host.

        Engines unmount the root directory next.  The root container's go with the sandbox.
        """
        self.mount_namespace = None
        if self.visits is not None:
            self.visits.close()
            self.visits = None
        if self.connection is None:
            return
        if self.lent:
            self.connection.look_away()
        else:
            self.connection.close()
        self.connection = None
        kernel = self.container.kernel
        if isinstance(kernel.current_task, KernelThread) or kernel.current_task.state == DEAD:
            namespaces = kernel.current_task.namespaces.copy()
            namespaces.mount = kernel.root_mount_namespace
            kernel.current_task = KernelThread(kernel, namespaces)
        gc.collect()  # a kernel thread refers to itself
        self.leave_mounts()

    def leave_mounts(self) -> None:
        """Others of the sandbox use what the gofer serves: it keeps that, and nothing else."""
        if self.client is None or not self.lent:
            return
        try:
            for index in range(sum(layers.served_mounts for layers in self.layers)):
                if index not in self.lent:
                    self.client.leave(index)
        except (GoferError, KernelError) as error:
            self.container.kernel.log.warning(f"the gofer of {self.identifier!r} failed: {error!r}")


class GoferMonitor:
    """Notices that a gofer has died: its container cannot go on."""

    __slots__ = ("_connection", "_kernel", "_on_death", "_queue")

    def __init__(self, kernel: Kernel, connection: Socket, on_death: Callable[[], None]) -> None:
        self._kernel = kernel
        self._connection = connection
        self._on_death = on_death
        self._queue = WaitQueue()
        self._queue.add(self)
        kernel.events.watch(connection.fileno(), POLLRDHUP, self._queue)

    def wake(self, events: int) -> None:
        """The connection has ended (Waiter protocol)."""
        self._kernel.events.unwatch(self._connection.fileno(), self._queue)
        self._on_death()

    def look_away(self) -> None:
        """The container has ended first, and others need the gofer."""
        self._kernel.events.unwatch(self._connection.fileno(), self._queue)

    def close(self) -> None:
        """The container has ended first."""
        self.look_away()
        self._connection.close()


class Loader:
    """The containers of one sandbox."""

    def __init__(self, kernel: Kernel, root: ContainerInformation, shared: SharedMounts) -> None:
        self.kernel = kernel
        self.root = root
        self.sandbox_id = root.identifier
        self.state = CREATED
        self.processes: dict[tuple[str, int], ContainerProcess] = {}
        #: by name; names are unique among the living
        self.container_ids: dict[str, str] = {}
        self.containers: dict[str, ContainerInformation] = {root.identifier: root}
        self.failed_to_start: set[str] = set()
        #: what Lifecycle.StartContainer starts a process in
        self.prepared: dict[str, tuple[ContainerInformation, PidNamespace]] = {}
        self.shared_mounts = shared
        #: whether engines may change root directories and the host does not tell (visits.py)
        self.has_unseen_visitors = False
        #: of everybody: the root container's, once it has its mounts
        self.namespaces: Namespaces
        #: who hears of events: the loader's own parts, and those who have subscribed
        self.observers: list[Callable[[calls.EventMessage], None]] = []
        self.listeners: list[Callable[[calls.EventMessage], None]] = []

    def check_started(self, what: str) -> None:
        """Nobody comes before the root container.  Raises ControlError."""
        if self.state != STARTED:
            raise ControlError(
                f"sandbox is not in started state, cannot {what}: state={self.state}", STATE
            )

    # -- looking up --------------------------------------------------------------------------

    def container(self, identifier: str) -> ContainerInformation:
        """A container that was started or can be.  Raises ControlError."""
        information = self.containers.get(identifier)
        if information is None:
            raise ControlError(f'container "{identifier}" does not exist', NOT_FOUND)
        return information

    def walker(
        self, information: ContainerInformation, credentials: Credentials | None = None
    ) -> KernelThread:
        """Who looks for a container's files, the superuser unless it is said who.

        Raises ControlError when its first process has ended.
        """
        if information.mount_namespace is None:
            raise ControlError(f'container "{information.identifier}" has stopped', STATE)
        namespaces = self.namespaces.copy()
        namespaces.mount = information.mount_namespace
        if information.time_namespace is not None:
            namespaces.time = namespaces.time_for_children = information.time_namespace
        walker = KernelThread(self.kernel, namespaces, credentials=credentials)
        self.kernel.current_task = walker
        return walker

    def process(self, identifier: str, pid: int = 0) -> ThreadGroup:
        """A started process.  Raises ControlError."""
        entry = self.processes.get((identifier, pid))
        if entry is not None and entry.group is not None:
            return entry.group
        if (identifier, 0) not in self.processes:
            raise ControlError(f'container "{identifier}" does not exist', NOT_FOUND)
        init = self.processes[identifier, 0].group
        if init is None:
            raise ControlError(f'container "{identifier}" not started', STATE)
        if pid:
            group = init.pid_namespace.thread_group(pid)
            if group is not None and group.container is self.containers[identifier].container:
                return group
        raise ControlError(f'container "{identifier}" has no process {pid}', NOT_FOUND, 3)

    def program(self, identifier: str, pid: int) -> LimitedProgram:
        """What `exec` has started, until somebody has waited for it.  Raises ControlError."""
        self.process(identifier)
        entry = self.processes.get((identifier, pid))
        if entry is None or entry.program is None:
            raise ControlError(f'container "{identifier}" has no program {pid}', NOT_FOUND, 3)
        return entry.program

    def runtime_state(self, identifier: str) -> str:
        """CREATING, RUNNING or STOPPED; an unknown container is stopped."""
        entry = self.processes.get((identifier, 0))
        if entry is None:
            return calls.STOPPED
        if entry.group is None:
            return calls.STOPPED if identifier in self.failed_to_start else calls.CREATING
        return calls.STOPPED if entry.group.exiting else calls.RUNNING

    # -- life --------------------------------------------------------------------------------

    def create(
        self,
        identifier: str,
        descriptors: Sequence[int],
        guest_descriptors: Sequence[int] = (),
        *,
        has_executable: bool = False,
    ) -> None:
        """Reserve a container.  Raises ControlError."""
        if not identifier:
            raise ControlError("container ID missing")
        if (identifier, 0) in self.processes or identifier in self.prepared:
            raise ControlError(f'container "{identifier}" already exists', EXISTS)
        given = len(descriptors) - len(guest_descriptors) - has_executable
        if given not in (0, 1, 3):
            raise ControlError("create arguments must have no files, a TTY, or three files")
        self.processes[identifier, 0] = ContainerProcess.of(
            descriptors, given, guest_descriptors, has_executable=has_executable
        )

    def register_name(self, information: ContainerInformation) -> str:
        """Give the container its name.  Raises ControlError when a living one has it."""
        name = name_of(information.spec.annotations)
        if not name:
            number = len(self.container_ids)
            while (name := f"__no_name_{number}") in self.container_ids:
                number += 1
        holder = self.container_ids.get(name)
        if holder is not None and holder != information.identifier:
            raise ControlError(f"container name {name!r} is held by {holder!r}", EXISTS)
        self.container_ids[name] = information.identifier
        return name

    def started(self, identifier: str, data: dict[str, object] | None = None) -> None:
        """A container's first process runs: watch for its end.  `data` is the event's."""
        group = self.process(identifier)
        self.announce(calls.EventMessage("started", identifier, data or {}))
        OneTimeWaiter(group.exit_queue, lambda: self._ended(identifier, group))

    def _ended(self, identifier: str, group: ThreadGroup) -> None:
        """The first process of a container is gone: so are the others, and the gofer."""
        information = self.containers.get(identifier)
        if information is not None:
            information.container.kill()
            information.disconnect()
        self.announce(calls.EventMessage("exited", identifier, {"exit_status": group.exit_status}))

    def destroy(self, identifier: str) -> None:
        """Kill every process of a container and forget it; nothing happens twice."""
        if identifier in self.prepared:
            self.prepared.pop(identifier)[0].disconnect()
        information = self.containers.get(identifier)
        if information is not None:
            information.container.end()
        if (identifier, 0) in self.processes and self.processes[identifier, 0].group is None:
            # Who waits for the end of what never ran need not wait any longer.
            self.announce(calls.EventMessage("exited", identifier, {"exit_status": SIGKILL}))
        for key in [key for key in self.processes if key[0] == identifier]:
            self.processes.pop(key).close()
        has_failed = identifier in self.failed_to_start
        self.failed_to_start.discard(identifier)
        for name in [name for name, one in self.container_ids.items() if one == identifier]:
            del self.container_ids[name]
        if information is not None and information is not self.root:
            del self.containers[identifier]
            information.disconnect()
            gc.collect()  # file systems refer to themselves; the last process is gone only now
            information.leave_mounts()
        elif has_failed:
            gc.collect()  # the error has referred to what failed until now

    # -- signals -----------------------------------------------------------------------------

    def signal(self, identifier: str, number: int, pid: int, mode: str) -> None:
        """Deliver a signal in one of six ways.  Raises ControlError."""
        if not 0 < number <= 64:
            raise ControlError(f"invalid signal {number}", errno=22)
        info = SignalInfo.from_kernel(number)
        if mode == calls.TO_TERMINAL:
            mode = calls.TO_FOREGROUND if number in OF_TERMINALS else calls.TO_PROCESS
        if mode == calls.TO_ALL:
            if pid:
                raise ControlError(f"PID must be 0 when signalling all processes: {pid}")
            self.process(identifier)
            self.containers[identifier].container.send_signal(info)
        elif mode == calls.TO_PROCESS:
            group = self.process(identifier, pid)
            if group.exiting:
                raise ControlError(f'container "{identifier}" has stopped', STATE, 3)
            group.send_signal(info)
        elif mode == calls.TO_FOREGROUND:
            self._signal_foreground(identifier, info, pid)
        elif mode == calls.TO_PROCESS_GROUP:
            self._signal_group(identifier, info, pid)
        elif mode == calls.TO_PROGRAM:
            self._signal_program(identifier, info, pid)
        else:
            raise ControlError(f"unknown signal mode {mode!r}")

    def _signal_foreground(self, identifier: str, info: SignalInfo, pid: int) -> None:
        group = self.process(identifier, pid)
        entry = self.processes.get((identifier, pid))
        if entry is None or entry.terminal is None:
            raise ControlError("no TTY attached")
        foreground = entry.terminal.foreground
        if foreground is not None:
            foreground.send_signal(info)
        else:
            group.send_signal(info)

    def _signal_group(self, identifier: str, info: SignalInfo, number: int) -> None:
        init = self.process(identifier)
        members = init.pid_namespace.process_groups.get(number)
        container = self.containers[identifier].container
        if not number or members is None:
            raise ControlError(f"no process group {number}", NOT_FOUND, 3)
        if any(member.container is not container for member in members.members):
            raise ControlError(f"process group {number} is not of container {identifier!r}")
        members.send_signal(info)

    def _signal_program(self, identifier: str, info: SignalInfo, pid: int) -> None:
        processes = self.program(identifier, pid).processes
        if info.number == SIGKILL:
            processes.kill()
        else:
            processes.send_signal(info)

    # -- waiting -----------------------------------------------------------------------------

    def when_ended(self, group: ThreadGroup, answer: Callable[[int], None]) -> OneTimeWaiter | None:
        """Call `answer` with the wait status, at once when the process has ended."""
        if group.exiting and not group.tasks:
            answer(group.exit_status)
            return None
        return OneTimeWaiter(group.exit_queue, lambda: answer(group.exit_status))

    def announce(self, event: calls.EventMessage) -> None:
        """Tell who wants to know."""
        for listener in [*self.observers, *self.listeners]:
            listener(event)


def name_of(annotations: Mapping[str, str]) -> str:
    """What the annotations call a container, by the name that it has been given since; or ""."""
    name = next((annotations[key] for key in NAME_ANNOTATIONS if annotations.get(key)), "")
    for key, value in annotations.items():
        old, equals, new = value.partition("=")
        if key.startswith(RENAMING) and equals and old == name:
            return new
    return name


def _time_namespace(kernel: Kernel, spec: Spec) -> TimeNamespace | None:
    """`linux.timeOffsets`, for a container that has a time namespace."""
    linux, wanted = spec.linux, spec.namespace("time")
    if linux is None or wanted is None:
        return None
    from runsc_py.sentry.kernel.clock import CLOCK_BOOTTIME, CLOCK_MONOTONIC
    from runsc_py.sentry.kernel.time_namespace import TimeNamespace

    made = TimeNamespace(
        kernel.root_user_namespace, kernel.new_inode_number(), kernel.root_time_namespace
    )
    for name, clock in (("monotonic", CLOCK_MONOTONIC), ("boottime", CLOCK_BOOTTIME)):
        offset = linux.time_offsets.get(name)
        if offset is not None:
            made.set_offset(clock, offset.secs * SECOND + offset.nanosecs)
    return made


@contextmanager
def failing_alone(information: ContainerInformation) -> Iterator[None]:
    """A gofer that fails from here on is its container's failure, and not the sandbox's.

    Raises ControlError.
    """
    try:
        yield
    except GoferError as error:
        raise ControlError(f"the gofer of the container failed: {error}") from None
    if information.client is not None:
        information.client.on_death = information.container.kill


def _config(values: dict[str, object]) -> Config:
    """The options of a container.  Raises RunscError."""
    plain: dict[str, bool | int | float | str] = {}
    for name, value in values.items():
        if not isinstance(value, bool | int | float | str):
            raise ControlError(f"config: {name}: a plain value expected")
        plain[name] = value
    return Config.from_dict(plain)
