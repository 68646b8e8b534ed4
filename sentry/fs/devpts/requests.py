"""ioctl(2) on pseudo-terminals: ioctl_tty(2).

The requests mean the same on both ends (Linux looks through the master at its slave) but for a
few that only a master has.
"""

from runsc_py.sentry.abi.ioctl import (
    FIONREAD,
    INT,
    TCFLSH,
    TCGETA,
    TCGETS,
    TCGETS2,
    TCIFLUSH,
    TCIOFF,
    TCIOFLUSH,
    TCION,
    TCOFLUSH,
    TCOOFF,
    TCOON,
    TCSBRK,
    TCSBRKP,
    TCSETA,
    TCSETAF,
    TCSETAW,
    TCSETS,
    TCSETS2,
    TCSETSF,
    TCSETSF2,
    TCSETSW,
    TCSETSW2,
    TCXONC,
    TERMIO,
    TERMIOS,
    TERMIOS2,
    TIOCEXCL,
    TIOCGDEV,
    TIOCGETD,
    TIOCGPKT,
    TIOCGPTLCK,
    TIOCGPTN,
    TIOCGPTPEER,
    TIOCGWINSZ,
    TIOCNXCL,
    TIOCOUTQ,
    TIOCPKT,
    TIOCSETD,
    TIOCSPTLCK,
    TIOCSTI,
    TIOCSWINSZ,
    VSTART,
    VSTOP,
    WINSIZE,
)
from runsc_py.sentry.errors import EINVAL, EIO, ENOTTY
from runsc_py.sentry.fs.devpts.settings import Settings
from runsc_py.sentry.vfs.open_file import O_CLOEXEC, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.devpts.pair import PseudoTerminal
    from runsc_py.sentry.kernel.task import Task

_SET = {
    TCSETS: TERMIOS.size,
    TCSETSW: TERMIOS.size,
    TCSETSF: TERMIOS.size,
    TCSETS2: TERMIOS2.size,
    TCSETSW2: TERMIOS2.size,
    TCSETSF2: TERMIOS2.size,
    TCSETA: TERMIO.size,
    TCSETAW: TERMIO.size,
    TCSETAF: TERMIO.size,
}
_FLUSHES = (TCSETSF, TCSETSF2, TCSETAF)


def terminal_request(
    task: "Task",
    pair: "PseudoTerminal",
    request: int,
    argument: int,
    file: OpenFile,
    is_master: bool,
) -> int:
    """One request.  Errors: ENOTTY for an unknown one, EFAULT, EINVAL, EIO, EPERM."""
    if pair.job_control_ioctl(task, request, argument, file.readable, is_master):
        return 0
    answer = _answer(pair, request, is_master)
    if answer is not None:
        task.memory.copy_out(argument, answer)
        return 0
    if request in _SET:
        return _change_settings(task, pair, request, argument)
    if request == TIOCSWINSZ:
        pair.resize(task.memory.copy_in(argument, WINSIZE.size))
        return 0
    if request == TIOCSTI or (request == TIOCGPTPEER and not is_master):
        raise EIO  # the first is refused, as Linux does without dev.tty.legacy_tiocsti
    if request == TCFLSH:
        return _flush(task, pair, argument)
    if request == TCXONC:
        return _flow(task, pair, argument)
    if request in (TCSBRK, TCSBRKP, TIOCEXCL, TIOCNXCL):
        # Output is with the master at once, breaks lead nowhere, and who may open is not limited.
        return 0
    if request == TIOCSETD:
        (discipline,) = INT.unpack(task.memory.copy_in(argument, INT.size))
        if discipline != 0:
            raise EINVAL
        return 0
    if is_master:
        return _master_request(task, pair, request, argument)
    raise ENOTTY


def _answer(pair: "PseudoTerminal", request: int, is_master: bool) -> bytes | None:
    """The requests that only tell something; None for the others."""
    discipline = pair.discipline
    if request == TCGETS:
        return discipline.settings.pack()
    if request == TCGETS2:
        return discipline.settings.pack2()
    if request == TCGETA:
        return discipline.settings.pack_termio()
    if request == TIOCGWINSZ:
        return pair.window
    if request == FIONREAD:
        waiting = len(discipline.output.queue) if is_master else discipline.readable_bytes()
        return INT.pack(waiting)
    if request in (TIOCOUTQ, TIOCGETD):
        return INT.pack(0)
    if request == TIOCGDEV:
        return INT.pack(pair.device)
    if not is_master:
        return None
    if request == TIOCGPTN:
        return INT.pack(pair.number)
    if request == TIOCGPTLCK:
        return INT.pack(pair.is_locked)
    if request == TIOCGPKT:
        return INT.pack(pair.packet_mode)
    return None


def _change_settings(task: "Task", pair: "PseudoTerminal", request: int, argument: int) -> int:
    data = task.memory.copy_in(argument, _SET[request])
    if len(data) == TERMIO.size:
        settings = pair.discipline.settings.with_termio(data)
    else:
        settings = Settings.unpack(data)
    pair.check_change(task)
    if request in _FLUSHES:
        pair.flush_input()
    pair.change_settings(settings)
    return 0


def _flush(task: "Task", pair: "PseudoTerminal", queues: int) -> int:
    pair.check_change(task)
    if queues not in (TCIFLUSH, TCOFLUSH, TCIOFLUSH):
        raise EINVAL
    if queues != TCOFLUSH:
        pair.flush_input()
    if queues != TCIFLUSH:
        pair.flush_output()
    return 0


def _flow(task: "Task", pair: "PseudoTerminal", action: int) -> int:
    pair.check_change(task)
    if action in (TCOOFF, TCOON):
        pair.set_stopped(action == TCOOFF)
    elif action in (TCIOFF, TCION):
        character = pair.discipline.settings.characters[VSTOP if action == TCIOFF else VSTART]
        if character:
            pair.write_output(bytes((character,)))
    else:
        raise EINVAL
    return 0


def _master_request(task: "Task", pair: "PseudoTerminal", request: int, argument: int) -> int:
    if request == TIOCGPTPEER:
        return _open_peer(task, pair, argument)
    if request not in (TIOCSPTLCK, TIOCPKT):
        raise ENOTTY
    (value,) = INT.unpack(task.memory.copy_in(argument, INT.size))
    if request == TIOCSPTLCK:
        pair.is_locked = bool(value)
    elif bool(value) != pair.packet_mode:
        pair.packet_status = 0
        pair.packet_mode = bool(value)
    return 0


def _open_peer(task: "Task", pair: "PseudoTerminal", flags: int) -> int:
    """TIOCGPTPEER: a descriptor for the slave, whatever /dev/pts looks like."""
    from runsc_py.sentry.fs.devpts.filesystem import terminal_path

    was_locked, pair.is_locked = pair.is_locked, False
    try:
        file = pair.open(terminal_path(pair.registry, pair.number), flags & ~O_CLOEXEC)
    finally:
        pair.is_locked = was_locked
    return task.files.add(file, bool(flags & O_CLOEXEC))
