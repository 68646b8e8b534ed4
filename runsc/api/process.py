"""A program that runs in a `Container`: what it writes, what it is told, how it ends."""

from __future__ import annotations

import os
import signal as signals
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from threading import Lock

from runsc_py.runsc.api.closing import Closing
from runsc_py.runsc.api.exchange import Exchange, Input, Output
from runsc_py.runsc.api.results import Result
from runsc_py.runsc.control.calls import (
    TO_FOREGROUND,
    TO_PROCESS,
    TO_PROGRAM,
    ProgramEnd,
    WaitProgram,
)
from runsc_py.runsc.control.errors import CLOSED, ControlError
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.result import RunResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.api.container import Container
    from runsc_py.runsc.api.exchange import OnOutput
    from runsc_py.runsc.control.client import ControlClient


class TerminalInput(Input):
    """The keys of a terminal: some make signals, unless the program has them for characters.

    The host's terminal has no foreground group of its own that it could send them to.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self.send_signal: Callable[[int], None]

    def wrote(self, data: memoryview) -> None:
        """Send what these keys mean."""
        from runsc_py.runsc.terminal_keys import signals_of

        for number in signals_of(self.descriptor, bytes(data)):
            self.send_signal(number)


class StandardFiles:
    """Pipes, or a terminal, between us and a program that is about to be started."""

    def __init__(
        self,
        terminal: tuple[int, int] | None,
        on_stdout: OnOutput | None,
        on_stderr: OnOutput | None,
    ) -> None:
        #: the program's ends, for it to have copies of
        self.theirs: list[int]
        #: that of its terminal; -1 for none
        self.terminal = -1
        if terminal is not None:
            import termios

            self.terminal, theirs = os.openpty()
            termios.tcsetwinsize(self.terminal, terminal)
            self.theirs = [theirs]
            self.input: Input = TerminalInput(os.dup(self.terminal))
            self.outputs = [Output(self.terminal, on_stdout)]
            return
        their_input, given = os.pipe2(os.O_CLOEXEC)
        stdout, their_stdout = os.pipe2(os.O_CLOEXEC)
        stderr, their_stderr = os.pipe2(os.O_CLOEXEC)
        self.theirs = [their_input, their_stdout, their_stderr]
        self.input = Input(given)
        self.outputs = [Output(stdout, on_stdout), Output(stderr, on_stderr)]

    def close_theirs(self) -> None:
        """The program has copies."""
        for descriptor in self.theirs:
            os.close(descriptor)

    def close(self) -> None:
        """There is no program."""
        self.input.close()
        for output in self.outputs:
            output.close()


class Process(Closing):
    """One program.

    What it writes is read by whoever calls `wait`, `poll`, `read` or the like; until then it is
    held up once it has filled a pipe.  Calls may be made from several threads.
    """

    def __init__(
        self,
        container: Container,
        client: ControlClient,
        command: list[str],
        pid: int,
        files: StandardFiles,
        output_limit: int | None,
    ) -> None:
        self._container = container
        self._client = client
        self.command = command
        #: its number in the container
        self.pid = pid
        self._outputs = files.outputs
        self._terminal = files.terminal
        self._output_limit = output_limit
        self._waiting = client.begin(WaitProgram(container.identifier, pid))
        self._exchange = Exchange(files.input, files.outputs, client.fileno(), output_limit)
        if isinstance(files.input, TerminalInput):
            files.input.send_signal = partial(self._signal, mode=TO_FOREGROUND)
        #: bytes of standard output that `read` has returned
        self._taken = 0
        self._result: Result | None = None
        self._lock = Lock()
        self._began = time.monotonic()

    def close(self) -> None:
        """End it, if it has not ended."""
        self.kill()
        self.wait()

    def __del__(self) -> None:
        # Nobody has waited, and its sandbox is closed: the container kept it until then.
        if hasattr(self, "_exchange"):
            self._close()

    def begin(self, data: bytes, *, complete: bool) -> None:
        """What it is given to read at first."""
        self._exchange.feed(data, complete=complete)

    def abandon(self) -> None:
        """In a fork of the caller's process: its input ends when the caller's does."""
        self._exchange.abandon()

    # -- signals -------------------------------------------------------------------------------

    def send_signal(self, number: int) -> None:
        """Send a signal to the process; nothing happens when it has ended."""
        self._signal(number, TO_PROCESS)

    def kill(self) -> None:
        """End it and all that descends from it, daemons included; harmless after its end."""
        self._signal(signals.SIGKILL, TO_PROGRAM)

    def _signal(self, number: int, mode: str) -> None:
        if self._result is not None:
            return
        with suppress(ControlError), self._container.client() as client:  # it may have ended
            client.signal(self._container.identifier, number, self.pid, mode)

    # -- talking to it -------------------------------------------------------------------------

    def write(self, data: bytes | str) -> None:
        """Have more of its standard input written, when it is `interactive`.

        What there is no room for now is written while somebody waits or reads.
        """
        self._exchange.feed(data.encode() if isinstance(data, str) else data)

    def close_stdin(self) -> None:
        """Its standard input ends; on a terminal, write "\\x04" (^D)."""
        if self._terminal < 0:
            self._exchange.feed(b"", complete=True)

    def resize(self, rows: int, columns: int) -> None:
        """Its terminal has another size now."""
        import termios

        if self._terminal < 0 or self._result is not None:
            raise RunscError("the program has no terminal")
        termios.tcsetwinsize(self._terminal, (rows, columns))
        self._signal(signals.SIGWINCH, TO_FOREGROUND)

    def read(self, timeout: float | None = None) -> bytes:
        """What it has written to its standard output since the last time, waiting for something.

        Empty at its end.  Raises TimeoutError.
        """
        with self._lock:
            deadline = _deadline(timeout)
            while not self._unread():
                if self._result is not None:
                    return b""
                self._step_until(deadline)
            return self._take(len(self._unread()))

    def read_until(self, mark: bytes | str, timeout: float | None = None) -> bytes:
        """The same up to the next `mark` and with it, or up to the end.

        Raises TimeoutError; nothing is lost then.
        """
        wanted = mark.encode() if isinstance(mark, str) else mark
        with self._lock:
            deadline = _deadline(timeout)
            while (place := self._unread().find(wanted)) < 0:
                if self._result is not None:
                    return self._take(len(self._unread()))
                self._step_until(deadline)
            return self._take(place + len(wanted))

    def __iter__(self) -> Iterator[str]:
        """The lines of its standard output, as they come."""
        while line := self.read_until("\n"):
            yield line.decode(errors="replace")

    def _unread(self) -> bytes:
        return bytes(self._outputs[0].data[self._taken :])

    def _take(self, count: int) -> bytes:
        data = bytes(self._outputs[0].data[self._taken : self._taken + count])
        self._taken += count
        return data

    # -- the end -------------------------------------------------------------------------------

    def fileno(self) -> int:
        """Readable when `poll` has something to do; until it has ended."""
        return self._exchange.fileno()

    def poll(self) -> Result | None:
        """Pass on what there is, unless somebody else does; the result when it has ended."""
        if self._lock.acquire(blocking=False):
            try:
                while self._result is None and self._step(0):
                    continue
            finally:
                self._lock.release()
        return self._result

    def wait(self, timeout: float | None = None, *, check: bool = False) -> Result:
        """Pass input and output on until it ends.

        Raises TimeoutError after `timeout` seconds, and the program goes on; ProcessFailed when
        `check` is set and it did not exit with 0.
        """
        with self._lock:
            deadline = _deadline(timeout)
            while self._result is None:
                self._step_until(deadline)
        return self._result.check() if check else self._result

    async def wait_async(self, *, check: bool = False) -> Result:
        """The same for asyncio; cancelled, it kills the program."""
        from runsc_py.runsc.api import asynchronous

        return await asynchronous.wait(self, check=check)

    def _step_until(self, deadline: float | None) -> None:
        left = None if deadline is None else max(deadline - time.monotonic(), 0)
        if not self._step(left):
            raise TimeoutError(f"{self.command[0]}: nothing in time")

    def _step(self, timeout: float | None) -> bool:
        """Pass something on; False when there is nothing in time.

        What goes wrong with that (a callback) ends the program.
        """
        try:
            happened = self._exchange.step(timeout)
            self._look()
        except BaseException:
            self.kill()
            self._close()
            raise
        return happened

    def _look(self) -> None:
        """What follows from what has happened."""
        if self._exchange.ended:
            self._exchange.drain()
            self._result = self._finish()
            self._close()
        elif self._exchange.exceeds:
            self.kill()

    def _finish(self) -> Result:
        try:
            end = self._client.finish(self._waiting, ProgramEnd)
        except ControlError as error:
            if error.code != CLOSED:
                raise
            reason, message = self._container.why_it_ended()
            wall = int((time.monotonic() - self._began) * 1e9)
            end = ProgramEnd(signals.SIGKILL, reason, message, wall, 0, 0, 0, 0)
        record = RunResult.of_status(end.status)
        if record.signal == signals.SIGKILL and self._container.is_closed and not end.reason:
            end.reason, end.message = "sandbox", "the sandbox was closed"
        if self._exchange.exceeds:
            end.reason = "output"
            end.message = f"output limit of {self._output_limit} bytes reached"
        if end.reason:
            record = RunResult.of_limit(end.reason, end.message)
        record.wall_ns = end.wall
        record.cpu_user_ns, record.cpu_system_ns = end.cpu_user, end.cpu_system
        record.memory_peak = end.memory_peak or end.maximum_resident or None
        document = record.as_dict()
        for name in ("processes_peak", "limits_reached", "unsupported"):
            del document[name]  # known of the whole sandbox only
        outputs = self._exchange.cut()
        return Result.of_record(self.command, document, outputs[0], b"".join(outputs[1:]))

    def _close(self) -> None:
        self._container.forget(self)
        self._exchange.close()
        self._client.close()


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout
