"""`--strace`: every system call as strace(1) prints it.

Imported only when tracing is asked for.  kernel/watched_call.py calls `enter` and `leave` around
each call, the run loop `unfinished` when one blocks; a line that another task's output cuts is
marked `<unfinished ...>` and taken up again with `<... name resumed>`.
"""

import os
import struct
import time
from collections.abc import Callable

from runsc_py.sentry.abi.elf import AT_EXECFN
from runsc_py.sentry.errors import BY_NUMBER
from runsc_py.sentry.strace import calls
from runsc_py.sentry.strace.arguments import Call
from runsc_py.sentry.strace.signals import siginfo, signal
from runsc_py.sentry.strace.text import STRING_LIMIT, array, hexadecimal, quote
from runsc_py.sentry.syscalls.numbers import syscall_name
from runsc_py.sentry.syscalls.table import Restart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.signals import SignalInfo
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.syscalls.table import Entry

#: results start in this column, as strace's do
_RESULT_COLUMN = 40

#: what strace calls an interrupted call, by what becomes of it
_RESTARTS = {
    Restart.SYSTEM: "ERESTARTSYS (To be restarted if SA_RESTART is set)",
    Restart.NO_HANDLER: "ERESTARTNOHAND (To be restarted if no handler)",
    Restart.NEVER: "EINTR (Interrupted system call)",
    Restart.ALWAYS: "ERESTARTNOINTR (To be restarted)",
}
_KILLED_MASK = 0x7F
_CORE_DUMPED = 0x80


class _Line:
    """A call that has been entered."""

    __slots__ = ("call", "cut", "parts", "shown", "started")

    def __init__(self, call: Call, parts: calls.Parts) -> None:
        self.call = call
        self.parts = parts
        self.started = time.perf_counter_ns()
        #: how many of the parts are written already; -1 while nothing is
        self.shown = -1
        #: somebody else's line came in between
        self.cut = False


class Strace:
    """Writes the trace of a kernel's tasks."""

    def __init__(
        self,
        write: Callable[[str], None],
        kernel: "Kernel",
        *,
        descriptor_paths: bool = False,
        only: frozenset[str] = frozenset(),
        string_limit: int = STRING_LIMIT,
    ) -> None:
        """`write` gets text that need not end with a newline.

        The options are strace's -y, -e (the names of calls, all when empty) and -s.
        """
        self._write = write
        self._kernel = kernel
        self._descriptor_paths = descriptor_paths
        self._only = only
        self._string_limit = string_limit
        self._lines: dict[Task, _Line] = {}
        #: the task whose line the cursor stands in, and the column
        self._open: Task | None = None
        self._column = 0
        self._alive: set[Task] = set()
        self._program_shown = False

    # -- what the kernel calls ----------------------------------------------------------

    def enter(self, task: "Task", entry: "Entry", arguments: tuple[int, ...]) -> None:
        """A task made a system call."""
        if self._only and entry.name not in self._only:
            return
        if not self._program_shown:
            self._show_program(task)
        call = Call(task, entry, arguments, self._descriptor_paths, self._string_limit)
        self._lines[task] = _Line(call, calls.before(call))

    def unfinished(self, task: "Task") -> None:
        """The call blocks: show what there is of it."""
        line = self._lines.get(task)
        if line is not None and line.shown < 0:
            self._start_line(task)
            self._begin(line)

    def leave(self, task: "Task", result: int | None, *, interrupted: bool = False) -> None:
        """The call is done, or a signal `interrupted` it; None when it has no result of its own."""
        line = self._lines.pop(task, None)
        if line is None:
            return
        call = line.call
        call.result = -1 if interrupted else result or 0
        if line.shown < 0:
            self._start_line(task)
            self._begin(line)
        elif line.cut:
            self._start_line(task)
            self._put(f"<... {call.entry.name} resumed>")
        self._put(self._rest(line) + ")")
        if interrupted:
            self._end(f"? {_RESTARTS[call.entry.restart]}", line.started)
        elif call.result < 0:
            self._end(_error(-call.result), line.started)
        else:
            self._end(calls.result(call), line.started)

    def unknown(self, task: "Task", number: int, arguments: tuple[int, ...]) -> None:
        """A call that nobody registered; it gets ENOSYS."""
        if self._only and syscall_name(number) not in self._only:
            return
        self._alive.add(task)
        self._start_line(task)
        shown = ", ".join(hexadecimal(value) for value in arguments)
        self._put(f"{syscall_name(number)}({shown})")
        self._end("-1 ENOSYS (Function not implemented)", time.perf_counter_ns())

    def signal(self, task: "Task", info: "SignalInfo") -> None:
        """A signal is delivered."""
        self._start_line(task)
        self._put(f"--- {signal(info.number)} {siginfo(info.raw)} ---\n")
        self._open = None

    def exit(self, task: "Task") -> None:
        """A task ended."""
        line = self._lines.pop(task, None)
        if line is not None:
            self._end_unreturned(task, line)
        self._start_line(task)
        self._put(f"+++ {_ending(task, line)} +++\n")
        self._open = None
        self._alive.discard(task)

    # -- lines --------------------------------------------------------------------------

    def _show_program(self, task: "Task") -> None:
        """The execve that started the sandbox, which no guest made, as it would look."""
        self._program_shown = True
        memory = task.memory
        name = _executed_name(task)
        arguments = memory.command_line().split(b"\0")[:-1]
        variables = memory.environment().count(b"\0")
        shown = array([quote(argument) for argument in arguments])
        self._start_line(task)
        self._put(f"execve({quote(name, len(name))}, {shown}, ")
        plural = "" if variables == 1 else "s"
        self._put(f"{memory.environment_range[0]:#x} /* {variables} var{plural} */)")
        self._end("0", time.perf_counter_ns())

    def _start_line(self, task: "Task") -> None:
        """Move to the beginning of a line of `task`."""
        if self._open is not None:
            line = self._lines.get(self._open)
            if line is not None:
                line.cut = True
            self._put(" <unfinished ...>\n")
        self._open = task
        self._column = 0
        self._alive.add(task)
        if len(self._alive) > 1:
            self._put(f"[pid {task.identifier:5}] ")

    def _begin(self, line: _Line) -> None:
        """Write the call up to the first argument that is not known yet."""
        known: list[str] = []
        for part in line.parts:
            if part is None:
                break
            known.append(part)
        line.shown = len(known)
        separator = ", " if known and len(known) < len(line.parts) else ""
        self._put(f"{line.call.entry.name}({', '.join(known)}{separator}")

    def _rest(self, line: _Line) -> str:
        """The arguments from the first unknown one on."""
        shown: list[str] = []
        for index in range(line.shown, len(line.parts)):
            part = line.parts[index]
            shown.append(calls.after(line.call, index) if part is None else part)
        return ", ".join(shown)

    def _end_unreturned(self, task: "Task", line: _Line) -> None:
        """A call that never returns."""
        if line.shown < 0:
            self._start_line(task)
            self._begin(line)
        elif line.cut:
            self._start_line(task)
            self._put(f"<... {line.call.entry.name} resumed>")
        rest = [part for part in line.parts[line.shown :] if part is not None]
        self._put(", ".join(rest) + ")")
        self._put(" " * (_RESULT_COLUMN - 1 - self._column) + " = ?\n")
        self._open = None

    def _end(self, result: str, started: int) -> None:
        duration = (time.perf_counter_ns() - started) / 1e9
        padding = " " * (_RESULT_COLUMN - 1 - self._column)
        self._put(f"{padding} = {result} <{duration:.6f}>\n")
        self._open = None

    def _put(self, text: str) -> None:
        self._column += len(text)
        self._write(text)


def _executed_name(task: "Task") -> bytes:
    """What the program was called by: the string of AT_EXECFN."""
    vector = task.memory.auxiliary_vector()
    for kind, value in struct.iter_unpack("<QQ", vector):
        if kind == AT_EXECFN:
            return task.memory.copy_in_string(value)
    return b""


def _error(number: int) -> str:
    """-1 ENOENT (No such file or directory)"""
    name = BY_NUMBER[number].__name__ if number in BY_NUMBER else f"errno {number}"
    return f"-1 {name} ({os.strerror(number)})"


def _ending(task: "Task", line: _Line | None) -> str:
    """exited with 0; killed by SIGKILL (core dumped)"""
    status = task.thread_group.exit_status
    if line is not None and line.call.entry.name == "exit":
        status = (line.call.values[0] & 0xFF) << 8
    if status & _KILLED_MASK:
        core = " (core dumped)" if status & _CORE_DUMPED else ""
        return f"killed by {signal(status & _KILLED_MASK)}{core}"
    return f"exited with {status >> 8 & 0xFF}"
