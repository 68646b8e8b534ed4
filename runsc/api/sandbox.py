"""`Sandbox`: a container that waits for programs to run in it, as long as somebody holds it.

It is a child of the caller, `runsc-py run --bundle`, with a state directory of its own; programs,
files and what happens travel over its control socket.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from runsc_py.runsc.api.arguments import environment_of, size_of, volumes_of, words_of
from runsc_py.runsc.api.bundle import Settings, capabilities, write_bundle
from runsc_py.runsc.api.files import Files
from runsc_py.runsc.api.process import Process, Stream
from runsc_py.runsc.control.calls import RUNNING, ExecuteAsync, MemoryUsage
from runsc_py.runsc.control.client import ControlClient
from runsc_py.runsc.control.errors import CLOSED, GUEST, ControlError
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import parse_host_name, parse_tmpfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from runsc_py.runsc.api.arguments import Command
    from runsc_py.runsc.api.process import OnOutput
    from runsc_py.runsc.api.results import Change, Result

#: seconds that a sandbox gets to come up, and to go
PATIENCE = 60.0
INTERVAL = 0.005


class Sandbox:
    """A root directory, with writes kept in memory, and the programs that run on it.

    Use it in a `with` statement, or call `close`.  It ends with the Python process that made it,
    however that ends.  Calls may be made from several threads.
    """

    def __init__(
        self,
        *,
        rootfs: str | os.PathLike[str] = "/",
        volumes: Mapping[str | os.PathLike[str], str] | None = None,
        tmpfs: Mapping[str, int | str | None] | None = None,
        env: Mapping[str, str] | None = None,
        hostname: str = "sandbox",
        network: str = "none",
        memory: int | str | None = None,
        pids: int | None = None,
        wall: float | None = None,
        output: int | str | None = 16 << 20,
    ) -> None:
        """Start it.  Raises RunscError.

        `volumes`: {"host path": "/place"}, read-only, or "/place:rw".  `tmpfs`: {"/place": "64M"}.
        `memory` (bytes or "256M") is that of all programs together; more ends the sandbox.
        `pids`: processes and threads at a time.  `wall` (seconds) and `output` (bytes of both
        streams) are limits of each program, unless that is started with others.
        """
        settings = Settings()
        settings.rootfs = os.path.abspath(os.fspath(rootfs))
        settings.volumes = volumes_of(volumes)
        settings.tmpfs = [
            parse_tmpfs(place if size is None else f"{place}:{size}")
            for place, size in (tmpfs or {}).items()
        ]
        settings.environment = environment_of(env)
        settings.host_name = parse_host_name(hostname)
        settings.memory = None if memory is None else size_of("memory", memory)
        settings.pids = pids
        self._settings = settings
        self._wall = wall
        self._output = None if output is None else size_of("output", output)
        self.files = Files(self)
        self._directory = tempfile.mkdtemp(prefix="runsc-py-")
        #: the container's name, which control groups of the host have as well
        self.identifier = os.path.basename(self._directory)
        self._socket = os.path.join(self._directory, "state", f"{self.identifier}.sock")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
        self._events: ControlClient | None = None
        try:
            write_bundle(self._directory, settings)
            self._child = self._start(network)
            self._wait_until_it_runs()
        except BaseException:
            self.close()
            raise

    def _start(self, network: str) -> subprocess.Popen[bytes]:
        options = [f"--root={self._directory}/state", "--overlay2=root:memory", "--rootless=true"]
        options.append(f"--network={network}")
        words = [sys.executable, "-m", "runsc_py.runsc", *options, "run"]
        return subprocess.Popen(
            [*words, f"--bundle={self._directory}", self.identifier],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=True,
        )

    def _wait_until_it_runs(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._child.poll() is None and time.monotonic() < deadline:
            try:
                with self.client() as client:
                    if client.state(self.identifier) == RUNNING:
                        self._events = self.client()
                        self._subscription = self._events.subscribe(self.identifier)
                        return
            except ControlError as error:
                if error.code != CLOSED:
                    raise
            time.sleep(INTERVAL)
        raise RunscError(self._complaint() or "the sandbox did not start")

    def _complaint(self) -> str:
        """What the sandbox's own command has reported."""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return "\n".join(lines).removeprefix("runsc-py: ")

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every program and forget the sandbox; nothing happens twice."""
        child = getattr(self, "_child", None)
        if child is not None:
            assert child.stdin is not None
            child.stdin.close()
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._events is not None:
            self._events.close()
            self._events = None
        self._log.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    # -- programs ------------------------------------------------------------------------------

    def start(
        self,
        command: Command,
        *,
        stdin: bytes | str = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        user: str = "",
        on_stdout: OnOutput | None = None,
        on_stderr: OnOutput | None = None,
        wall: float | None = None,
        output: int | str | None = None,
    ) -> Process:
        """Start a program; `wait` of what is returned reads its output.

        `user`: "USER[:GROUP]" of the sandbox's own /etc/passwd.  The callbacks get bytes as they
        come.  Raises RunscError when the program cannot be executed.
        """
        import json

        words = words_of(command)
        environment = self._settings.environment | dict(env or {})
        process = {
            "args": words,
            "cwd": cwd,
            "env": [f"{name}={value}" for name, value in environment.items()],
            "user": {"uid": 0, "gid": 0},
        }
        if user in ("", "root", "0"):
            process["capabilities"] = capabilities()
        call = ExecuteAsync(self.identifier, json.dumps(process).encode(), user)
        wall = self._wall if wall is None else wall
        pipes = _Pipes()
        try:
            client = self.client()
            pid = client.execute(call, pipes.theirs)
        except BaseException:
            pipes.close_ours()
            raise
        finally:
            pipes.close_theirs()
        return Process(
            self,
            client,
            words,
            pid,
            output=(Stream(pipes.stdout, on_stdout), Stream(pipes.stderr, on_stderr)),
            stdin=pipes.stdin,
            data=stdin.encode() if isinstance(stdin, str) else stdin,
            output_limit=self._output if output is None else size_of("output", output),
            deadline=None if wall is None else time.monotonic() + wall,
        )

    def run(
        self,
        command: Command,
        *,
        stdin: bytes | str = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        user: str = "",
        on_stdout: OnOutput | None = None,
        on_stderr: OnOutput | None = None,
        wall: float | None = None,
        output: int | str | None = None,
        check: bool = False,
    ) -> Result:
        """Run a program to its end.  Raises as `start`, and ProcessFailed with `check`."""
        process = self.start(
            command,
            stdin=stdin,
            env=env,
            cwd=cwd,
            user=user,
            on_stdout=on_stdout,
            on_stderr=on_stderr,
            wall=wall,
            output=output,
        )
        return process.wait(check=check)

    async def run_async(
        self,
        command: Command,
        *,
        stdin: bytes | str = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        user: str = "",
        wall: float | None = None,
        output: int | str | None = None,
        check: bool = False,
    ) -> Result:
        """The same for asyncio; cancelled, it kills the program."""
        import asyncio

        starting = asyncio.create_task(
            asyncio.to_thread(
                self.start,
                command,
                stdin=stdin,
                env=env,
                cwd=cwd,
                user=user,
                wall=wall,
                output=output,
            )
        )
        try:
            process = await asyncio.shield(starting)
            waiting = asyncio.create_task(asyncio.to_thread(process.wait, check=check))
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            # Threads cannot be cancelled: end what they wait for.
            process = await starting
            await asyncio.to_thread(process.kill)
            await asyncio.to_thread(process.wait)
            raise

    # -- looking -------------------------------------------------------------------------------

    def changes(self) -> list[Change]:
        """What differs from the root directory that the sandbox began with."""
        return self.files.changes()

    def usage(self) -> MemoryUsage:
        """Memory of the sandbox, bytes."""
        with self.client() as client:
            return client.usage()

    def client(self) -> ControlClient:
        """A connection to the sandbox.  Raises ControlError (CLOSED) when it is gone."""
        return ControlClient(self._socket)

    def why_it_ended(self) -> tuple[str, str]:
        """The reason and a line for a person, once the sandbox is gone."""
        if self._events is not None:
            for event in self._events.events(self._subscription):
                if event.kind == "oom":
                    return "memory", str(event.data.get("message", ""))
        return "sandbox", "the sandbox has ended"

    @contextmanager
    def guest_errors(self, path: str) -> Iterator[None]:
        """An errno that the sandbox answered with is an OSError here, as for open()."""
        try:
            yield
        except ControlError as error:
            if error.code == GUEST and error.errno:
                raise OSError(error.errno, os.strerror(error.errno), path) from None
            raise


class _Pipes:
    """The standard files of a program."""

    def __init__(self) -> None:
        their_stdin, self.stdin = os.pipe2(os.O_CLOEXEC)
        self.stdout, their_stdout = os.pipe2(os.O_CLOEXEC)
        self.stderr, their_stderr = os.pipe2(os.O_CLOEXEC)
        self.theirs = [their_stdin, their_stdout, their_stderr]
        for descriptor in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(descriptor, False)

    def close_theirs(self) -> None:
        """The program has copies."""
        for descriptor in self.theirs:
            os.close(descriptor)

    def close_ours(self) -> None:
        """There is no program."""
        for descriptor in (self.stdin, self.stdout, self.stderr):
            os.close(descriptor)
