"""`Container`: a root directory, with writes kept in memory, and the programs that run on it.

Each is a child of the caller's, `runsc-py run --bundle`, whose first process lives as long as a
pipe of the caller's is open (bundle.py).  Programs, files and what happens travel over the control
socket of the sandbox.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from runsc_py.runsc.api.arguments import own_command, own_environment, size_of, words_of
from runsc_py.runsc.api.bundle import capabilities, write_bundle
from runsc_py.runsc.api.closing import Closing
from runsc_py.runsc.api.files import Files
from runsc_py.runsc.api.process import Process, StandardFiles
from runsc_py.runsc.api.results import Change
from runsc_py.runsc.control.calls import RUNNING, ContainerStats, ExecuteAsync, ProcessEntry
from runsc_py.runsc.control.client import ControlClient
from runsc_py.runsc.control.errors import CLOSED, GUEST, ControlError
from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, Unpack

    from runsc_py.runsc.api.arguments import Command
    from runsc_py.runsc.api.options import ProgramOptions
    from runsc_py.runsc.api.ports import PortForward
    from runsc_py.runsc.api.results import Result
    from runsc_py.runsc.api.settings import Settings

#: seconds that a container gets to come up, and to go
PATIENCE = 60.0
INTERVAL = 0.005
SECOND = 1_000_000_000


class Container(Closing):
    """Programs and files on one root directory.

    Made by `Sandbox`, which is one itself, and by `Sandbox.add_container`.  Use it in a `with`
    statement, or call `close`.  Calls may be made from several threads.
    """

    def __init__(self, settings: Settings, directory: str, state: str) -> None:
        """Start it.  `directory`: for its bundle; `state`: of all of the sandbox's containers.

        Raises RunscError.  Takes over the settings.
        """
        self._settings = settings
        self._directory = directory
        self._state = state
        #: its name, which control groups of the host have as well
        self.identifier = os.path.basename(directory)
        self._socket = os.path.join(state, f"{settings.sandbox or self.identifier}.sock")
        self.files = Files(self)
        self._processes: set[Process] = set()
        self._is_abandoned = False
        #: what ends in it now has not ended by itself
        self.is_closed = False
        self._child: subprocess.Popen[bytes] | None = None
        self._log = os.memfd_create("log", os.MFD_CLOEXEC)
        try:
            write_bundle(directory, settings)
            self._child = self._start()
            self._wait_until_it_runs(self._child)
        except BaseException:
            self.close()
            raise

    def _start(self) -> subprocess.Popen[bytes]:
        settings = self._settings
        options = [f"--root={self._state}", "--overlay2=root:memory", "--rootless=true"]
        options.append(f"--network={settings.network}")
        words = own_command(*options, "run")
        if settings.image is not None and settings.image.path is not None:
            words.append(f"--image-owners={settings.image.path}")
        return subprocess.Popen(
            [*words, f"--bundle={self._directory}", self.identifier],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=True,
            env=own_environment(),
        )

    def _wait_until_it_runs(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while child.poll() is None and time.monotonic() < deadline:
            try:
                with self.client() as client:
                    if client.state(self.identifier) == RUNNING:
                        return
            except ControlError as error:
                if error.code != CLOSED:
                    raise
            time.sleep(INTERVAL)
        raise RunscError(self._complaint() or "the sandbox did not start")

    def _complaint(self) -> str:
        """What the container's own command has reported."""
        text = os.pread(self._log, 1 << 16, 0).decode(errors="replace")
        return "\n".join(text.splitlines()).removeprefix("runsc-py: ")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        import asyncio

        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """End every program and forget the container; nothing happens twice."""
        if self._is_abandoned:
            return
        child, self._child = self._child, None
        self.is_closed = True
        if child is not None:
            self._hang_up()
            assert child.stdin is not None
            child.stdin.close()
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._log >= 0:
            os.close(self._log)
            self._log = -1
        self._settings.close()
        shutil.rmtree(self._directory, ignore_errors=True)
        for process in list(self._processes):
            process.poll()

    def _hang_up(self) -> None:
        """End it at once: the end of its pipe would not, if somebody else had a copy of that."""
        try:
            with self.client() as client:
                client.signal(self.identifier, signal.SIGKILL)
        except ControlError:
            return  # it has ended

    def abandon(self) -> None:
        """In a fork of the caller's process: it is not this one's to end or to keep alive."""
        self._is_abandoned = True
        child, self._child = self._child, None
        if child is not None:
            assert child.stdin is not None
            child.stdin.close()
            child.returncode = 0  # it is nobody's child here
        for process in self._processes:
            process.abandon()

    # -- programs ------------------------------------------------------------------------------

    def start(self, command: Command, **options: Unpack[ProgramOptions]) -> Process:
        """Start a program; `wait` of what is returned reads its output.

        Raises RunscError when it cannot be executed.
        """
        words = words_of(command)
        settings = self._settings
        output = size_of("output", options["output"]) if "output" in options else settings.output
        files = StandardFiles(
            options.get("terminal"), options.get("on_stdout"), options.get("on_stderr")
        )
        try:
            client = self.client()
            try:
                pid = client.execute(self._call(words, options), files.theirs)
                process = Process(self, client, words, pid, files, output)
            except BaseException:
                client.close()
                raise
        except BaseException:
            files.close()
            raise
        finally:
            files.close_theirs()
        self._processes.add(process)
        given = options.get("stdin", b"")
        data = given.encode() if isinstance(given, str) else given
        is_open = options.get("interactive", False) or "terminal" in options
        process.begin(data, complete=not is_open)
        return process

    def _call(self, words: list[str], options: ProgramOptions) -> ExecuteAsync:
        """What the container is asked to execute.  Raises RunscError."""
        settings = self._settings
        environment = settings.environment | dict(options.get("env", {}))
        user = options.get("user", settings.user)
        limits = [("RLIMIT_NOFILE", options["files"])] if "files" in options else []
        if "file_size" in options:
            limits.append(("RLIMIT_FSIZE", size_of("file_size", options["file_size"])))
        process = {
            "args": words,
            "cwd": options.get("cwd", settings.working_directory),
            "env": [f"{name}={value}" for name, value in environment.items()],
            "user": {"uid": 0, "gid": 0},
            "rlimits": [{"type": name, "soft": most, "hard": most} for name, most in limits],
            "terminal": "terminal" in options,
        }
        if user in ("", "root", "0"):
            process["capabilities"] = capabilities()
        wall, cpu = options.get("wall", settings.wall), options.get("cpu", settings.cpu)
        memory = size_of("memory", options["memory"]) if "memory" in options else 0
        return ExecuteAsync(
            self.identifier,
            json.dumps(process).encode(),
            user,
            wall_ns=0 if wall is None else max(int(wall * SECOND), 1),
            cpu_ns=0 if cpu is None else max(int(cpu * SECOND), 1),
            memory=memory,
        )

    def run(
        self, command: Command, *, check: bool = False, **options: Unpack[ProgramOptions]
    ) -> Result:
        """Run a program to its end.  Raises as `start`, and ProcessFailed with `check`."""
        return self.start(command, **options).wait(check=check)

    async def run_async(
        self, command: Command, *, check: bool = False, **options: Unpack[ProgramOptions]
    ) -> Result:
        """The same for asyncio; cancelled, it kills the program."""
        from runsc_py.runsc.api import asynchronous

        return await asynchronous.run(partial(self.start, command, **options), check=check)

    def forget(self, process: Process) -> None:
        """It has ended: nobody need keep it for its output's sake."""
        self._processes.discard(process)

    # -- looking -------------------------------------------------------------------------------

    def processes(self) -> list[ProcessEntry]:
        """Every process in it, as ps(1) would show it; the first one only waits."""
        with self.client() as client:
            return client.processes(self.identifier)

    def stats(self) -> ContainerStats:
        """What it uses at this moment: nanoseconds, bytes, processes."""
        with self.client() as client:
            return client.event(self.identifier)

    def changes(self) -> list[Change]:
        """What differs from the root directory that it began with."""
        from runsc_py.runsc.archive.reader import TarReader
        from runsc_py.runsc.export.listing import describe

        entries = [describe(one) for one in TarReader(io.BytesIO(self.files.upper_layer()))]
        return [Change(one["kind"], one["path"], one.get("size")) for one in entries]

    # -- ports ---------------------------------------------------------------------------------

    def connect(self, port: int) -> socket.socket:
        """A connection to a TCP port of the sandbox's loopback interface.  Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self.guest_errors(f"port {port}"), self.client() as client:
                client.port_forward(self.identifier, port, theirs.fileno())
        except BaseException:
            ours.close()
            raise
        return ours

    def forward(self, port: int, *, host_port: int = 0, address: str = "127.0.0.1") -> PortForward:
        """Listen at a port of the host's (0: any) for connections to one of the sandbox's.

        Use it in a `with` statement, or call `close`.  Raises RunscError.
        """
        from runsc_py.runsc.api.ports import PortForward

        return PortForward(self._state, self.identifier, address, host_port, port)

    # -- the sandbox ---------------------------------------------------------------------------

    def client(self) -> ControlClient:
        """A connection to the sandbox, which has every call of docs/control.md.

        Raises ControlError (its code is "closed") when the sandbox is gone.
        """
        if self._is_abandoned:
            raise RunscError("a sandbox belongs to the process that made it, not to a fork of it")
        return ControlClient(self._socket)

    def why_it_ended(self) -> tuple[str, str]:
        """The reason and a line for a person, once its sandbox is gone."""
        raise NotImplementedError

    @contextmanager
    def guest_errors(self, path: str) -> Iterator[None]:
        """An errno that the sandbox answered with is an OSError here, as for open()."""
        try:
            yield
        except ControlError as error:
            if error.code == GUEST and error.errno:
                raise OSError(error.errno, os.strerror(error.errno), path) from None
            raise
