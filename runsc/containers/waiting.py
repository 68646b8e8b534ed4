"""Processes that stand for one inside: engines wait for a process of the host.

The root container has its sandbox.  For any other container, and for what `exec` runs, this makes a
small process that waits by a control call and ends as the one inside did.  It is a child of
whoever asks, and when that ends, of whoever reaps orphans there.  Engines signal it, too: what it
gets the one inside gets, and SIGKILL takes that along (a probe that timed out).  There may be
hundreds: each lets go of Python's memory, and is a few pages of C (ptrace/native/waiter.c).
"""

import os

from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.environment import forget_environment
from runsc_py.runsc.errors import EXIT_FAILURE, EXIT_SIGNAL_BASE
from runsc_py.runsc.exit_record import ExitRecord
from runsc_py.runsc.standard_files import close_others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.platform.ptrace.waiter import SignalRequest
    from runsc_py.runsc.control.client import ControlClient

FIRST_OTHER = 3
#: the status of what SIGKILL ended
KILLED = EXIT_SIGNAL_BASE + 9
#: no status, but where it goes
PLACE = 1 << 30


def exit_status(status: int) -> int:
    """A wait(2) status as a shell has it."""
    if os.WIFSIGNALED(status):
        return EXIT_SIGNAL_BASE + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def wait_as_container(
    client: "ControlClient",
    identifier: str,
    record: int,
    confine: "Callable[[], int]",
    terminal: int = -1,
) -> int:
    """Fork a process that ends with the container, and writes its exit record; its id.

    It has called `confine` by then, and told the sandbox what that returned.  `terminal`: the
    container's, unless it is -1; what its keys mean and its window's changes go inside as well.
    """
    return _fork(client, identifier, 0, record, confine, terminal)


def wait_as_process(client: "ControlClient", identifier: str, pid: int, terminal: int = -1) -> int:
    """Fork a process that ends with one that `execute` has started; its id."""
    return _fork(client, identifier, pid, -1, terminal=terminal)


def _fork(
    client: "ControlClient",
    identifier: str,
    pid: int,
    record: int,
    confine: "Callable[[], int] | None" = None,
    terminal: int = -1,
) -> int:
    from runsc_py.runsc.control import calls

    reader, writer = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child:
        os.close(writer)
        os.read(reader, 1)  # its end tells that the child is ready
        os.close(reader)
        return child
    ending = ExitRecord(EXIT_FAILURE)
    try:
        # While paths lead to it.
        from runsc_py.platform.ptrace.waiter import ExitTexts, become_waiter
        from runsc_py.runsc.confinement.walls import waiter_filter

        os.setsid()
        mode = calls.TO_PROCESS
        if terminal >= 0 and _take_terminal(terminal):
            mode = calls.TO_TERMINAL
        _let_go_of_files({client.fileno(), record, writer})
        forget_environment()
        visits = confine() if confine is not None else -1
        if visits >= 0:
            client.await_visits(identifier, visits)
            os.close(visits)
        call: calls.Call = calls.Wait(identifier, ends_with_waiter=True)
        if pid:
            call = calls.WaitPid(identifier, pid, ends_with_waiter=True)
        answer = client.begin(call)
        head, tail = ExitRecord(PLACE).encode().split(b"%d" % PLACE)
        gone = ExitRecord(KILLED, "sandbox", "the sandbox is gone").encode()
        become_waiter(
            client.fileno(), answer, record, writer, ExitTexts(head, tail, gone),
            _signal_request(answer + 1, identifier, pid, mode), waiter_filter(),
        )  # fmt: skip
    except ControlError as error:
        # The sandbox is gone, and all its processes with it.
        ending = ExitRecord(KILLED, "sandbox", str(error))
    finally:
        if record >= 0:
            ending.write(record)
        os._exit(ending.status)


def _signal_request(number: int, identifier: str, pid: int, mode: str) -> "SignalRequest":
    """How the process inside gets a signal that somebody has sent to the one that waits for it."""
    from runsc_py.platform.ptrace.waiter import SignalRequest
    from runsc_py.runsc.control import calls, wire
    from runsc_py.runsc.control.codec import encode

    def frame(signal: int) -> bytes:
        call = calls.Signal(identifier, signal, pid, mode)
        return wire.encode((wire.REQUEST, number, call.METHOD, encode(call)))

    one, other = frame(1), frame(2)
    place = next(index for index, byte in enumerate(one) if byte != other[index])
    return SignalRequest(one, place)


def _take_terminal(terminal: int) -> bool:
    """Become who is told of keys and of the window: the sandbox is that for one terminal only."""
    import fcntl
    import termios

    try:
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    except OSError:  # it is somebody's already, who acts on it
        return False
    return True


def _let_go_of_files(kept: set[int]) -> None:
    """Whoever reads our standard output waits for its end."""
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(FIRST_OTHER):
        os.dup2(null, number)
    close_others(kept)
