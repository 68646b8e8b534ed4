"""Talk to a sandbox: one method a control call.

A client is one connection.  Every method is a round trip and raises ControlError; `Wait` and
`WaitPid` block until there is a status, unless the client has a time limit.  A sandbox that goes
away answers everything with the code CLOSED.
"""

from __future__ import annotations

import os
from _socket import AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM
from _socket import socket as Socket

from runsc_py.runsc.control import calls, codec, file_calls, wire
from runsc_py.runsc.control.errors import CLOSED, PROTOCOL, TIMEOUT, ControlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import TypeVar

    T = TypeVar("T")

#: sun_path has room for a NUL as well
LONGEST_ADDRESS = 107


def connect(path: str) -> Socket:
    """A connection to a unix socket however long its path is.  Raises OSError."""
    connection = Socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
    try:
        if len(os.fsencode(path)) <= LONGEST_ADDRESS:
            connection.connect(path)
        else:
            folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                connection.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")
            finally:
                os.close(folder)
    except BaseException:
        connection.close()
        raise
    return connection


class ControlClient:
    """A connection to the control server of a sandbox."""

    def __init__(self, path: str, timeout: float | None = None) -> None:
        """`timeout`: seconds that one answer may take.  Raises ControlError (CLOSED)."""
        try:
            self._socket = connect(path)
        except OSError as error:
            raise ControlError(
                f"cannot connect to the sandbox: {error.strerror}", CLOSED, error.errno or 0
            ) from None
        self._socket.settimeout(timeout)
        self._reader = wire.FrameReader(self._socket)
        self._last = 0

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; what still waits there is forgotten."""
        self._reader.close()
        self._socket.close()

    def fileno(self) -> int:
        """The descriptor of the connection."""
        return self._socket.fileno()

    def call(self, call: calls.Call, kind: type[T], descriptors: Sequence[int] = ()) -> T:
        """Make any call and return its answer, which must be of type `kind`."""
        return self.finish(self.begin(call, descriptors), kind)

    def finish(self, number: int, kind: type[T]) -> T:
        """What request `number` is answered with."""
        while True:
            what, answered, value = self._receive()
            if answered != number or what == wire.EVENT:
                continue
            if what == wire.ERROR:
                raise ControlError.from_map(value)
            return codec.decode(kind, value)

    def begin(self, call: calls.Call, descriptors: Sequence[int] = ()) -> int:
        """Make a call; its number, for `finish`."""
        self._last += 1
        arguments = codec.encode(call)
        frame = wire.encode((wire.REQUEST, self._last, call.METHOD, arguments))
        try:
            wire.send(self._socket, frame, descriptors)
        except TimeoutError:
            raise ControlError("the sandbox does not answer", TIMEOUT) from None
        except OSError as error:
            raise ControlError("the sandbox is gone", CLOSED, error.errno or 0) from None
        return self._last

    def _receive(self) -> tuple[int, int, object]:
        try:
            frame = self._reader.read()
        except TimeoutError:
            raise ControlError("the sandbox does not answer", TIMEOUT) from None
        except OSError as error:
            raise ControlError("the sandbox is gone", CLOSED, error.errno or 0) from None
        if frame is None:
            raise ControlError("the sandbox is gone", CLOSED)
        message, descriptors = frame
        for descriptor in descriptors:
            os.close(descriptor)
        what, number, value = message[:3]
        if not isinstance(what, int) or not isinstance(number, int):
            raise ControlError("an answer that is none", PROTOCOL)
        return what, number, value

    # -- containers ----------------------------------------------------------------------------

    def start_root(self, container_id: str) -> None:
        """Start the root container's process."""
        self.call(calls.StartRoot(container_id), type(None))

    def create_subcontainer(
        self,
        container_id: str,
        descriptors: Sequence[int] = (),
        guest_descriptors: Sequence[int] = (),
        *,
        has_executable: bool = False,
    ) -> None:
        """Reserve a container; see calls.CreateSubcontainer."""
        call = calls.CreateSubcontainer(container_id, list(guest_descriptors), has_executable)
        self.call(call, type(None), descriptors)

    def await_visits(self, container_id: str, descriptor: int) -> None:
        """Have the root directory asked for anew when this descriptor is readable."""
        self.call(calls.AwaitVisits(container_id), type(None), (descriptor,))

    def start_subcontainer(self, call: calls.StartSubcontainer, descriptors: Sequence[int]) -> None:
        """Start a reserved container (sandbox_process.subcontainer_gofer makes the gofer)."""
        self.call(call, type(None), descriptors)

    def destroy_subcontainer(self, container_id: str) -> None:
        """Kill and forget a container."""
        self.call(calls.DestroySubcontainer(container_id), type(None))

    def execute(self, call: calls.ExecuteAsync, descriptors: Sequence[int]) -> int:
        """Run one more process; its number as the container sees it."""
        return self.call(call, int, descriptors)

    def signal(
        self, container_id: str, signal: int, pid: int = 0, mode: str = calls.TO_PROCESS
    ) -> None:
        """Send a signal; see calls.Signal."""
        self.call(calls.Signal(container_id, signal, pid, mode), type(None))

    def wait(self, container_id: str) -> int:
        """Wait for the first process; its wait(2) status."""
        return self.call(calls.Wait(container_id), int)

    def wait_pid(self, container_id: str, pid: int, *, in_root: bool = False) -> int:
        """Wait for a process of `execute`; its wait(2) status."""
        return self.call(calls.WaitPid(container_id, pid, in_root), int)

    def wait_program(self, container_id: str, pid: int) -> calls.ProgramEnd:
        """The same, with what the program used and which limit ended it."""
        return self.call(calls.WaitProgram(container_id, pid), calls.ProgramEnd)

    def processes(self, container_id: str) -> list[calls.ProcessEntry]:
        """The processes of a container."""
        return self.call(calls.Processes(container_id), list[calls.ProcessEntry])

    def event(self, container_id: str) -> calls.ContainerStats:
        """What a container uses."""
        return self.call(calls.Event(container_id), calls.ContainerStats)

    def pause(self) -> None:
        """Stop every task of the sandbox."""
        self.call(calls.Pause(), type(None))

    def resume(self) -> None:
        """Let them go on."""
        self.call(calls.Resume(), type(None))

    def state(self, container_id: str) -> str:
        """calls.CREATING, RUNNING or STOPPED."""
        return self.call(calls.ContainerRuntimeState(container_id), str)

    def port_forward(self, container_id: str, port: int, descriptor: int) -> None:
        """Connect a stream to a TCP port inside."""
        self.call(calls.PortForward(container_id, port), type(None), (descriptor,))

    def update(
        self,
        memory: int | None = None,
        pids: int | None = None,
        quota: tuple[int | None, int | None] = (None, None),
        container_id: str = "",
    ) -> None:
        """Change limits of a container, or of the sandbox; None leaves one, -1 takes it away."""
        self.call(calls.Update(memory, pids, *quota, container_id), type(None))

    # -- everything else -----------------------------------------------------------------------

    def begin_read(
        self, container_id: str, path: str, descriptor: int, offset: int = 0, size: int = -1
    ) -> int:
        """Have a part of a container's file copied into a descriptor; finished by the bytes."""
        return self.begin(calls.Read(container_id, path, offset, size), (descriptor,))

    def write(self, container_id: str, path: str, descriptor: int, mode: int = 0o644) -> None:
        """Make a container's file with the content of one of ours, or replace its content."""
        self.call(calls.Write(container_id, path, mode), type(None), (descriptor,))

    def stat(self, container_id: str, path: str, *, follow: bool = False) -> file_calls.FileEntry:
        """What a name is."""
        return self.call(file_calls.Stat(container_id, path, follow), file_calls.FileEntry)

    def list_directory(self, container_id: str, path: str) -> Iterator[file_calls.FileEntry]:
        """The names in a directory."""
        after = ""
        while page := self.call(
            file_calls.ListDirectory(container_id, path, after), list[file_calls.FileEntry]
        ):
            yield from page
            after = page[-1].name

    def make_directory(self, container_id: str, path: str, mode: int = 0o755) -> None:
        """Make a directory, and those on the way to it."""
        self.call(file_calls.MakeDirectory(container_id, path, mode), type(None))

    def make_symlink(self, container_id: str, target: str, path: str) -> None:
        """Make a symbolic link."""
        self.call(file_calls.MakeSymlink(container_id, target, path), type(None))

    def rename(self, container_id: str, path: str, new_path: str) -> None:
        """Give a file another name."""
        self.call(file_calls.Rename(container_id, path, new_path), type(None))

    def remove(self, container_id: str, path: str) -> None:
        """Remove a file or an empty directory."""
        self.call(file_calls.Remove(container_id, path), type(None))

    def tar_rootfs_upper(self, container_id: str, descriptor: int) -> list[str]:
        """Write what a container changed in its root as a tar archive; what was left out."""
        return self.call(calls.TarRootfsUpper(container_id), list[str], (descriptor,))

    def usage(self, full: bool = False) -> calls.MemoryUsage:
        """Memory of the whole sandbox."""
        return self.call(calls.Usage(full), calls.MemoryUsage)

    def change_logging(self, call: calls.ChangeLogging) -> None:
        """Change what a living sandbox logs."""
        self.call(call, type(None))

    def follow(self, names: Sequence[str], descriptor: int) -> int:
        """Have system calls printed into a pipe until this client is closed; for `followed`."""
        return self.begin(calls.ChangeLogging(None, True, list(names)), (descriptor,))

    def followed(self, request: int) -> None:
        """The pipe has ended: that is in order when the sandbox has."""
        try:
            self.finish(request, type(None))
        except ControlError as error:
            if error.code != CLOSED:
                raise

    def stacks(self) -> str:
        """Where each task is."""
        return self.call(calls.Stacks(), str)

    def shutdown(self) -> None:
        """End the sandbox."""
        self.call(calls.Shutdown(), type(None))

    # -- the life of a container as an embedder drives it --------------------------------------

    def prepare_namespaces(self, call: calls.PrepareNamespaces, gofer: int) -> None:
        """Make what `start_container` starts a process in; `gofer`: a connection to one."""
        self.call(call, type(None), (gofer,))

    def start_container(self, call: calls.StartContainer, descriptors: Sequence[int] = ()) -> None:
        """Start a process in prepared namespaces; `descriptors`: for its `donated_fds`."""
        self.call(call, type(None), descriptors)

    def is_container_running(self, container_id: str) -> bool:
        """False for an unknown container."""
        return self.call(calls.IsContainerRunning(container_id), bool)

    def signal_container(self, container_id: str, signal: int, *, everyone: bool = False) -> None:
        """Signal the first process of a container that `start_container` started, or all."""
        self.call(calls.SignalContainer(container_id, signal, everyone), type(None))

    def exit_status(self, container_id: str) -> int:
        """The status of a container that has stopped."""
        return self.call(calls.GetExitStatus(container_id), int)

    def reap(self, container_id: str) -> None:
        """Have the exit event of a container that has stopped sent once more."""
        self.call(calls.Reap(container_id), type(None))

    # -- events --------------------------------------------------------------------------------

    def subscribe(self, container_id: str = "", stats_interval: int = 0) -> int:
        """Be told what happens from now on; for `events`."""
        number = self.begin(calls.Subscribe(container_id, stats_interval), ())
        self.finish(number, type(None))
        return number

    def events(self, number: int) -> Iterator[calls.EventMessage]:
        """What happens, as it happens, until the sandbox or the client ends."""
        while True:
            try:
                what, answered, value = self._receive()
            except ControlError as error:
                if error.code == CLOSED:
                    return
                raise
            if answered != number:
                continue
            if what == wire.ERROR:
                raise ControlError.from_map(value)
            if what == wire.EVENT:
                yield codec.decode(calls.EventMessage, value)
