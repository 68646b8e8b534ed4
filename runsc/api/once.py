"""`run`: one program in a sandbox of its own, with every limit of `runsc-py run`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from functools import partial

from runsc_py.runsc.api.arguments import (
    environment_of,
    own_command,
    own_environment,
    size_of,
    volumes_of,
    words_of,
)
from runsc_py.runsc.api.exchange import Exchange, Input, Output
from runsc_py.runsc.api.results import Result
from runsc_py.runsc.api.settings import OUTPUT, ContainerOptions
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.result import RunResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from runsc_py.runsc.api.arguments import Command
    from runsc_py.runsc.api.exchange import OnOutput


class RunOptions(ContainerOptions, total=False):
    """Of `run` and `run_async`: what `runsc-py run` has as well, and where the streams go."""

    stdin: bytes | str
    on_stdout: OnOutput
    on_stderr: OnOutput
    hostname: str
    network: str
    memory: int | str
    pids: int
    files: int
    export: str | os.PathLike[str]


def run(command: Command, *, check: bool = False, **options: Unpack[RunOptions]) -> Result:
    """Run a program to its end; the options are those of `runsc-py run`.

    A limit, a signal or an exit status is a result.  Raises RunscError when the program could not
    be run, and ProcessFailed with `check` when it did not exit with 0.
    """
    return _Run(command, options).wait(check=check)


async def run_async(
    command: Command, *, check: bool = False, **options: Unpack[RunOptions]
) -> Result:
    """The same for asyncio; cancelled, it ends the program."""
    from runsc_py.runsc.api import asynchronous

    return await asynchronous.run(partial(_Run, command, options), check=check)


def _arguments(options: RunOptions) -> list[str]:
    """What is said to `runsc-py run`.  Raises RunscError."""
    environment = environment_of(options.get("env"))
    if "user" not in options:
        environment.setdefault("HOME", "/root")
    words = [f"--env={name}={value}" for name, value in environment.items()]
    for volume in volumes_of(options.get("volumes")):
        mode = "ro" if volume.read_only else "rw"
        words.append(f"--volume={volume.source}:{volume.destination}:{mode}")
    for place, size in options.get("tmpfs", {}).items():
        words.append(f"--tmpfs={place}" if size is None else f"--tmpfs={place}:{size}")
    if "memory" in options:
        words.append(f"--memory={size_of('memory', options['memory'])}")
    if "cwd" in options or "image" not in options:
        words.append(f"--workdir={options.get('cwd', '/')}")
    same = ("rootfs", "image", "user", "hostname", "network", "wall", "cpu", "pids", "files")
    given: Mapping[str, object] = options
    words += [f"--{name}={given[name]}" for name in (*same, "export") if name in given]
    return words


class _Run:
    """`runsc-py run` as a child of ours."""

    def __init__(self, command: Command, options: RunOptions) -> None:
        """Start it.  Raises RunscError for wrong options."""
        self._command = words_of(command)
        self._done: Result | None = None
        limit = options.get("output", OUTPUT)
        self._limit = None if limit is None else size_of("output", limit)
        self._record = os.memfd_create("result", os.MFD_CLOEXEC)
        try:
            words = [*_arguments(options), f"--result=fd:{self._record}", "--", *self._command]
            self._child = subprocess.Popen(
                own_command("run", "--clean-env", *words),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(self._record,),
                env=own_environment(),
            )
        except BaseException:
            os.close(self._record)
            raise
        child = self._child
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        given = options.get("stdin", b"")
        self._process = os.pidfd_open(child.pid)
        self._exchange = Exchange(
            Input(os.dup(child.stdin.fileno())),
            [
                Output(os.dup(child.stdout.fileno()), options.get("on_stdout")),
                Output(os.dup(child.stderr.fileno()), options.get("on_stderr")),
            ],
            self._process,
            self._limit,
        )
        for stream in (child.stdin, child.stdout, child.stderr):
            stream.close()
        self._exchange.feed(given.encode() if isinstance(given, str) else given, complete=True)

    def kill(self) -> None:
        """End it: nothing of a sandbox outlives its process."""
        self._child.kill()

    def fileno(self) -> int:
        """Readable when `poll` has something to do."""
        return self._exchange.fileno()

    def poll(self) -> Result | None:
        """Pass on what there is; the result when it has ended.  Raises RunscError."""
        if self._done is not None:
            return self._done
        try:
            while not self._exchange.ended and self._exchange.step(0):
                self._look()
            return self._finish() if self._exchange.ended else None
        except BaseException:
            self._close()
            raise

    def wait(self, *, check: bool = False) -> Result:
        """Pass input and output on until it ends.  Raises RunscError."""
        try:
            while not self._exchange.ended:
                self._exchange.step()
                self._look()
            result = self._finish()
        except BaseException:
            self._close()
            raise
        return result.check() if check else result

    def _look(self) -> None:
        if self._exchange.exceeds:
            self.kill()

    def _finish(self) -> Result:
        self._exchange.drain()
        status = self._child.wait()
        document = json.loads(os.pread(self._record, 1 << 20, 0) or b"{}")
        self._close()
        self._done = self._result(status, document)
        return self._done

    def _close(self) -> None:
        """Nothing of it is left; harmless after its end."""
        if self._record < 0:
            return
        self.kill()
        self._child.wait()
        self._exchange.close()
        os.close(self._process)
        os.close(self._record)
        self._record = -1

    def _result(self, status: int, document: dict[str, object]) -> Result:
        stdout, stderr = self._exchange.cut()
        if self._exchange.exceeds:
            message = f"output limit of {self._limit} bytes reached"
            document = RunResult.of_limit("output", message).as_dict()
        elif status == -signal.SIGKILL:
            document = RunResult.of_limit("sandbox", "the sandbox was killed").as_dict()
        elif document.get("reason") in (None, "internal"):
            text = stderr.decode(errors="replace").strip().removeprefix("runsc-py: ")
            raise RunscError(str(document.get("message") or text), status)
        return Result.of_record(self._command, document, stdout, stderr)
