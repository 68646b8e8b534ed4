"""Pseudo-terminals: a master and any number of open slaves with a line discipline between them.

pty(7), ioctl_tty(2).  A `PseudoTerminal` lives in its registry from the opening of
/dev/ptmx until the master is closed.
"""

from runsc_py.sentry.abi.ioctl import (
    IXON,
    NOFLSH,
    TIOCPKT_DATA,
    TIOCPKT_DOSTOP,
    TIOCPKT_FLUSHREAD,
    TIOCPKT_FLUSHWRITE,
    TIOCPKT_NOSTOP,
    TIOCPKT_START,
    TIOCPKT_STOP,
    TOSTOP,
    VMIN,
    VSTART,
    VSTOP,
    VTIME,
)
from runsc_py.sentry.abi.signals import SIGTTIN
from runsc_py.sentry.errors import EAGAIN, EIO
from runsc_py.sentry.fs.dev.registry import PTS_MAJOR
from runsc_py.sentry.fs.devpts.line_discipline import LineDiscipline
from runsc_py.sentry.fs.devpts.output import CAPACITY
from runsc_py.sentry.fs.devpts.requests import terminal_request
from runsc_py.sentry.fs.devpts.settings import Settings
from runsc_py.sentry.fs.devpts.terminal import Terminal
from runsc_py.sentry.kernel.timers import TimerHandle
from runsc_py.sentry.kernel.waiting import (
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLOUT,
    POLLPRI,
    POLLRDNORM,
    POLLWRNORM,
    READABLE,
    WRITABLE,
    WaitQueue,
)
from runsc_py.sentry.vfs.attributes import make_device
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

#: bytes the master has written and the line discipline has no room for
PENDING_LIMIT = 8192
#: nanoseconds of one unit of VTIME
TENTH_NS = 100_000_000


class PseudoTerminal(Terminal):
    """Both ends."""

    __slots__ = (
        "_pending",
        "discipline",
        "generation",
        "has_master",
        "is_locked",
        "master_queue",
        "number",
        "owner_gid",
        "owner_uid",
        "packet_mode",
        "packet_status",
        "registry",
        "slave_queue",
        "slave_was_open",
        "slaves",
        "window",
    )

    def __init__(self, registry: "TerminalRegistry", number: int) -> None:
        super().__init__(registry.kernel, make_device(PTS_MAJOR, number))
        self.registry = registry
        self.number = number
        self.owner_uid = self.owner_gid = 0
        self.discipline = LineDiscipline(self._key_signal)
        #: struct winsize
        self.window = bytes(8)
        #: TIOCSPTLCK: slaves cannot be opened
        self.is_locked = True
        self.has_master = True
        #: open slaves; whether there ever was one
        self.slaves = 0
        self.slave_was_open = False
        #: slaves opened before the last hang-up are dead
        self.generation = 0
        self.packet_mode = False
        self.packet_status = 0
        self.master_queue = WaitQueue()
        self.slave_queue = WaitQueue()
        self._pending = bytearray()

    # -- opening ---------------------------------------------------------------------------

    def open_master(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        """What opening /dev/ptmx gives."""
        self.owner_uid, self.owner_gid = task.credentials.fsuid, task.credentials.fsgid
        return MasterFile(path, flags, self)

    def open(self, path: "Path", flags: int) -> OpenFile:
        """A slave.  Errors: EIO while it is locked or the master is closed."""
        if not self.has_master or self.is_locked:
            raise EIO
        return SlaveFile(path, flags, self)

    # -- the master's side -------------------------------------------------------------------

    def type_in(self, data: bytes) -> int:
        """The master writes: keys are typed.  Errors: EAGAIN."""
        if self._pending:
            room = PENDING_LIMIT - len(self._pending)
            if room <= 0:
                raise EAGAIN
            self._pending += data[:room]
            return min(len(data), room)
        was_stopped = self.discipline.output.stopped
        done = self.discipline.receive(data)
        self._note_stopped(was_stopped)
        if was_stopped and not self.discipline.output.stopped:
            self.slave_queue.notify(WRITABLE)
        if done < len(data):
            rest = data[done : done + PENDING_LIMIT]
            self._pending += rest
            done += len(rest)
        if self.discipline.has_input():
            self.slave_queue.notify(READABLE)
        if self.discipline.output.queue:
            self.master_queue.notify(READABLE)
        return done

    def show(self, size: int) -> bytes:
        """The master reads: what the terminal shows.  Errors: EAGAIN, EIO."""
        output = self.discipline.output
        if self.packet_mode and self.packet_status and size:
            status, self.packet_status = self.packet_status, 0
            return bytes((status,))
        if not output.queue:
            if self.slave_was_open and not self.slaves:
                raise EIO
            raise EAGAIN
        if self.packet_mode:
            data = bytes((TIOCPKT_DATA,)) + bytes(output.queue[: max(size - 1, 0)])
            del output.queue[: max(size - 1, 0)]
        else:
            data = bytes(output.queue[:size])
            del output.queue[:size]
        output.process_echoes()
        self.slave_queue.notify(WRITABLE)
        return data

    # -- the slave's side ----------------------------------------------------------------------

    def take_input(self, size: int) -> bytes:
        """A slave reads what is there."""
        data = self.discipline.take(size)
        self._receive_pending()
        return data

    def _receive_pending(self) -> None:
        if self._pending:
            done = self.discipline.receive(bytes(self._pending))
            del self._pending[:done]
            if self.discipline.output.queue:
                self.master_queue.notify(READABLE)
        self.master_queue.notify(WRITABLE)

    def write_output(self, data: bytes) -> int:
        """A slave writes.  Errors: EAGAIN."""
        done = self.discipline.output.write(data)
        if not done and data:
            raise EAGAIN
        self.master_queue.notify(READABLE)
        return done

    # -- both ----------------------------------------------------------------------------------

    def _key_signal(self, number: int) -> None:
        self.signal_foreground(number)
        if not self.discipline.settings.local & NOFLSH:
            self.note_packet(TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE)

    def note_packet(self, status: int) -> None:
        """Something that packet mode reports to the master (TIOCPKT)."""
        if self.packet_mode:
            self.packet_status |= status
            self.master_queue.notify(READABLE)

    def change_settings(self, settings: Settings) -> None:
        """TCSETS.  Input may become readable, output may go on."""
        followed_keys = _follows_keys(self.discipline.settings)
        was_stopped = self.discipline.output.stopped
        self.discipline.change_settings(settings)
        self._note_stopped(was_stopped)
        if _follows_keys(settings) != followed_keys:
            self.packet_status &= ~(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP)
            self.note_packet(TIOCPKT_NOSTOP if followed_keys else TIOCPKT_DOSTOP)
        self.slave_queue.notify()
        if self.discipline.output.queue:
            self.master_queue.notify(READABLE)

    def set_stopped(self, stopped: bool) -> None:
        """TCXONC: stop or start output."""
        output = self.discipline.output
        was_stopped, output.stopped = output.stopped, stopped
        self._note_stopped(was_stopped)
        if not stopped:
            output.process_echoes()
            self.slave_queue.notify(WRITABLE)
            self.master_queue.notify(READABLE)

    def _note_stopped(self, was_stopped: bool) -> None:
        stopped = self.discipline.output.stopped
        if stopped != was_stopped:
            self.packet_status &= ~(TIOCPKT_STOP | TIOCPKT_START)
            self.note_packet(TIOCPKT_STOP if stopped else TIOCPKT_START)

    def flush_input(self) -> None:
        """TCIFLUSH."""
        self._pending.clear()
        self.discipline.flush_input()
        self.note_packet(TIOCPKT_FLUSHREAD)
        self.master_queue.notify(WRITABLE)

    def flush_output(self) -> None:
        """TCOFLUSH."""
        self.discipline.output.flush()
        self.note_packet(TIOCPKT_FLUSHWRITE)
        self.slave_queue.notify(WRITABLE)

    def resize(self, window: bytes) -> None:
        """TIOCSWINSZ: a real change is told to the foreground group."""
        if window != self.window:
            self.window = window
            self.window_changed()

    def close_master(self) -> None:
        """The line is cut."""
        self.has_master = False
        self.generation += 1
        self.registry.remove(self.number)
        self.disconnect()
        self.slave_queue.notify()

    def close_slave(self) -> None:
        """One of the slaves is closed; the master hears of the last one."""
        self.slaves -= 1
        if not self.slaves:
            self.master_queue.notify()


def _follows_keys(settings: Settings) -> bool:
    """Whether ^S and ^Q, and no other keys, stop and start output (for packet mode)."""
    characters = settings.characters
    return bool(settings.input & IXON) and (characters[VSTOP], characters[VSTART]) == (0x13, 0x11)


class MasterFile(OpenFile):
    """The end that a terminal emulator holds."""

    __slots__ = ("pair",)

    writes_whole = True

    def __init__(self, path: "Path", flags: int, pair: PseudoTerminal) -> None:
        super().__init__(path, flags)
        self.pair = pair
        self.wait_queue = pair.master_queue

    def read(self, size: int) -> bytes:
        return self.pair.show(size)

    def write(self, data: bytes) -> int:
        return self.pair.type_in(data)

    def poll(self) -> int:
        pair = self.pair
        events = POLLOUT | POLLWRNORM
        if pair.discipline.output.queue:
            events |= POLLIN | POLLRDNORM
        if pair.packet_mode and pair.packet_status:
            events |= POLLIN | POLLRDNORM | POLLPRI
        if pair.slave_was_open and not pair.slaves:
            events |= POLLHUP
        return events

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        return terminal_request(task, self.pair, request, argument, self, is_master=True)

    def descriptor_information(self) -> bytes:
        return b"tty-index:\t%d\n" % self.pair.number

    def release(self) -> None:
        self.pair.close_master()


class SlaveFile(OpenFile):
    """The end that programs hold."""

    __slots__ = ("_deadline", "_timer", "generation", "pair")

    writes_whole = True

    def __init__(self, path: "Path", flags: int, pair: PseudoTerminal) -> None:
        super().__init__(path, flags)
        self.pair = pair
        self.generation = pair.generation
        self.wait_queue = pair.slave_queue
        #: CLOCK_MONOTONIC nanoseconds when a read that VTIME limits ends; 0 without one
        self._deadline = 0
        self._timer: TimerHandle | None = None
        pair.slaves += 1
        pair.slave_was_open = True

    @property
    def is_hung_up(self) -> bool:
        """Whether the line was cut since this was opened."""
        return self.generation != self.pair.generation

    def read(self, size: int) -> bytes:
        pair = self.pair
        if self.is_hung_up:
            return b""
        pair.check_change(pair.kernel.current_task, SIGTTIN)
        if not self._is_satisfied(size):
            raise EAGAIN
        self._cancel_deadline()
        return pair.take_input(size)

    def _is_satisfied(self, size: int) -> bool:
        """Whether a read returns now, maybe with nothing (VMIN and VTIME, termios(3))."""
        discipline = self.pair.discipline
        settings = discipline.settings
        if settings.is_canonical:
            return discipline.has_input()
        minimum, time = settings.characters[VMIN], settings.characters[VTIME]
        if discipline.waiting >= min(max(minimum, 1), size):
            return True
        if not minimum and not time:
            return True
        if self.flags & O_NONBLOCK:
            return discipline.waiting > 0
        if time and (not minimum or discipline.waiting):
            return self._deadline_passed(time)
        return False

    def _deadline_passed(self, time: int) -> bool:
        """Start the clock of VTIME at the first look; later tell whether it has run down."""
        kernel = self.pair.kernel
        if not self._deadline:
            self._deadline = kernel.clock.monotonic() + time * TENTH_NS
            self._timer = kernel.timers.at(self._deadline, self.pair.slave_queue.notify)
        return kernel.clock.monotonic() >= self._deadline

    def _cancel_deadline(self) -> None:
        self._deadline = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def write(self, data: bytes) -> int:
        pair = self.pair
        if self.is_hung_up or not pair.has_master:
            raise EIO
        if pair.discipline.settings.local & TOSTOP:
            pair.check_change(pair.kernel.current_task)
        return pair.write_output(data)

    def poll(self) -> int:
        if self.is_hung_up:
            return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM
        events = 0
        discipline = self.pair.discipline
        if discipline.has_input(for_poll=True):
            events |= POLLIN | POLLRDNORM
        if discipline.output.room > CAPACITY // 32:
            events |= POLLOUT | POLLWRNORM
        return events

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        if self.is_hung_up:
            raise EIO
        return terminal_request(task, self.pair, request, argument, self, is_master=False)

    def release(self) -> None:
        self._cancel_deadline()
        self.pair.close_slave()
