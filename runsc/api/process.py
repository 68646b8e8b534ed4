"""A program that runs in a `Sandbox`: its output collected, its input fed, its limits kept."""

from __future__ import annotations

import os
import selectors
import signal as signals
import time
from collections.abc import Callable
from threading import Lock

from runsc_py.runsc.api.results import Result
from runsc_py.runsc.control.calls import TO_PROCESS_GROUP, WaitPid
from runsc_py.runsc.control.client import ControlClient
from runsc_py.runsc.control.errors import CLOSED, ControlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from runsc_py.runsc.api.sandbox import Sandbox

    OnOutput: TypeAlias = Callable[[bytes], object]

CHUNK = 1 << 16
#: rounds of killing a process's descendants, which may fork meanwhile
ROUNDS = 8


class Stream:
    """One of its outputs: read by us, kept, shown to a callback."""

    def __init__(self, descriptor: int, callback: OnOutput | None) -> None:
        self.descriptor = descriptor
        self._callback = callback
        self.data = bytearray()

    def read(self) -> bool:
        """Take what there is; False at the end, or when there is nothing now."""
        try:
            data = os.read(self.descriptor, CHUNK)
        except BlockingIOError:
            return False
        self.data += data
        if data and self._callback is not None:
            self._callback(data)
        return bool(data)

    def close(self) -> None:
        """Nothing more is read."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Process:
    """One program; `wait` has to be called for its output to be read."""

    def __init__(
        self,
        sandbox: Sandbox,
        client: ControlClient,
        command: list[str],
        pid: int,
        *,
        output: tuple[Stream, Stream],
        stdin: int,
        data: bytes,
        output_limit: int | None,
        deadline: float | None,
    ) -> None:
        self._sandbox = sandbox
        self._client = client
        self.command = command
        #: its number in the sandbox
        self.pid = pid
        self._stdout, self._stderr = output
        self._stdin = stdin
        self._data = memoryview(data)
        self._output_limit = output_limit
        self._deadline = deadline
        self._started = time.monotonic()
        self._reason = ""
        self._message = ""
        self._result: Result | None = None
        self._lock = Lock()
        self._waiting = client.begin(WaitPid(sandbox.identifier, pid))

    # -- signals -------------------------------------------------------------------------------

    def send_signal(self, number: int) -> None:
        """Send a signal to the process; nothing happens when it has ended."""
        self._signal(number, self.pid)

    def kill(self) -> None:
        """End it, its process group and all its descendants.

        Who has left both, as daemons do, stays until the sandbox is closed.
        """
        if self._result is not None:
            return
        for _ in range(ROUNDS):
            family = self._family()
            self._signal(signals.SIGKILL, self.pid, TO_PROCESS_GROUP)
            for pid in family:
                self._signal(signals.SIGKILL, pid)
            if not family:
                return

    def _family(self) -> list[int]:
        """Its living descendants and itself."""
        try:
            with self._sandbox.client() as client:
                entries = client.processes(self._sandbox.identifier)
        except ControlError as error:
            if error.code != CLOSED:
                raise
            return []
        found = [self.pid]
        for pid in found:
            found += [entry.pid for entry in entries if entry.parent == pid]
        living = {entry.pid for entry in entries}
        return [pid for pid in found if pid in living]

    def _signal(self, number: int, pid: int, mode: str = "process") -> None:
        try:
            with self._sandbox.client() as client:
                client.signal(self._sandbox.identifier, number, pid, mode)
        except ControlError:
            return  # it has ended

    # -- the end -------------------------------------------------------------------------------

    def wait(self, *, check: bool = False) -> Result:
        """Pass input and output on until it ends.

        Raises ProcessFailed when `check` is set and it did not exit with 0.
        """
        with self._lock:
            if self._result is None:
                try:
                    self._result = self._run()
                except BaseException:
                    self.kill()
                    raise
                finally:
                    self._close()
        return self._result.check() if check else self._result

    def _run(self) -> Result:
        with selectors.DefaultSelector() as selector:
            for stream in (self._stdout, self._stderr):
                selector.register(stream.descriptor, selectors.EVENT_READ, stream)
            if self._stdin >= 0:
                selector.register(self._stdin, selectors.EVENT_WRITE)
            selector.register(self._client.fileno(), selectors.EVENT_READ)
            ended = False
            while not ended:
                ready = selector.select(self._time_left())
                if not ready:
                    self._end("wall", "wall-clock limit reached")
                for key, _ in ready:
                    if key.fd == self._client.fileno():
                        ended = True
                    elif key.fd == self._stdin:
                        self._feed(selector)
                    elif not key.data.read():
                        selector.unregister(key.fd)
                self._check_output()
            return self._finish()

    def _time_left(self) -> float | None:
        if self._deadline is None or self._reason:
            return None
        return max(self._deadline - time.monotonic(), 0)

    def _check_output(self) -> None:
        limit = self._output_limit
        if limit is not None and len(self._stdout.data) + len(self._stderr.data) > limit:
            self._end("output", f"output limit of {limit} bytes reached")

    def _end(self, reason: str, message: str) -> None:
        """A limit is reached: kill it; we go on until it is gone."""
        if not self._reason:
            self._reason, self._message = reason, message
            self.kill()

    def _feed(self, selector: selectors.BaseSelector) -> None:
        try:
            count = os.write(self._stdin, self._data[:CHUNK])
        except BrokenPipeError:
            count = len(self._data)  # it does not read on
        self._data = self._data[count:]
        if not self._data:
            selector.unregister(self._stdin)
            os.close(self._stdin)
            self._stdin = -1

    def _finish(self) -> Result:
        """It has ended: what it wrote before is in the pipes."""
        try:
            status = self._client.finish(self._waiting, int)
        except ControlError as error:
            if error.code != CLOSED:
                raise
            status = signals.SIGKILL
            if not self._reason:
                self._reason, self._message = self._sandbox.why_it_ended()
        for stream in (self._stdout, self._stderr):
            while stream.read() and not self._is_too_much():
                continue
        return self._make_result(status)

    def _is_too_much(self) -> bool:
        self._check_output()
        return self._reason == "output"

    def _make_result(self, status: int) -> Result:
        code = os.waitstatus_to_exitcode(status & ~0x80)
        reason = self._reason or ("exited" if code >= 0 else "signal")
        stdout, stderr = bytes(self._stdout.data), bytes(self._stderr.data)
        if reason == "output" and self._output_limit is not None:
            stdout = stdout[: self._output_limit]
            stderr = stderr[: self._output_limit - len(stdout)]
        return Result(
            command=self.command,
            reason=reason,
            exit_code=code if reason == "exited" else None,
            signal=-code if code < 0 else None,
            stdout=stdout,
            stderr=stderr,
            message=self._message,
            wall=time.monotonic() - self._started,
        )

    def _close(self) -> None:
        self._stdout.close()
        self._stderr.close()
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1
        self._client.close()
