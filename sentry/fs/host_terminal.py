"""The host's terminal as a terminal of the guest.

The host's line discipline does the editing, echoing and queueing; settings are passed on to it.
What the guest must not share with the host is emulated: the session, the foreground process
group, job control.  Keys that make signals reach the host's foreground group, which is our
process; runsc hands them to `signal_foreground`.

Injecting input (TIOCSTI), other line disciplines and console requests are refused.
"""

import fcntl
import os
import select
import signal

from runsc_py.sentry.abi.ioctl import (
    FIONREAD,
    INT,
    TCFLSH,
    TCGETS,
    TCGETS2,
    TCIFLUSH,
    TCIOFLUSH,
    TCSBRK,
    TCSBRKP,
    TCSETS,
    TCSETS2,
    TCSETSF,
    TCSETSF2,
    TCSETSW,
    TCSETSW2,
    TCXONC,
    TERMIOS,
    TERMIOS2,
    TIOCEXCL,
    TIOCGETD,
    TIOCGWINSZ,
    TIOCNXCL,
    TIOCOUTQ,
    TIOCSTI,
    TIOCSWINSZ,
    TOSTOP,
    WINSIZE,
)
from runsc_py.sentry.abi.signals import SIGTTIN
from runsc_py.sentry.errors import EAGAIN, EINVAL, EIO, ENOTTY
from runsc_py.sentry.fs.dev.registry import PTS_MAJOR
from runsc_py.sentry.fs.devpts.terminal import Terminal
from runsc_py.sentry.fs.host_waiting import HostWaitQueue
from runsc_py.sentry.kernel.waiting import POLLERR, POLLHUP, POLLIN, POLLOUT
from runsc_py.sentry.vfs.attributes import make_device
from runsc_py.sentry.vfs.open_file import O_ACCMODE, O_RDONLY, O_WRONLY, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
    from runsc_py.sentry.kernel.sessions import Session
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path

#: one write after POLLOUT; a terminal says "writable" when some room is left, not how much
LARGEST_WRITE = 512
#: what the host's line discipline holds at most
LARGEST_READ = 4096

#: requests that wait for the output to drain, as the ones that do not
_WITHOUT_DRAIN = {TCSETSW: TCSETS, TCSETSF: TCSETS, TCSETSW2: TCSETS2, TCSETSF2: TCSETS2}


class HostTerminal(Terminal):
    """A terminal that a program was started on.  It owns the descriptors it is given."""

    __slots__ = (
        "descriptor",
        "descriptors",
        "guest_settings",
        "input",
        "number",
        "open_files",
        "original",
        "output",
        "owner_uid",
        "poller",
        "registry",
        "wait_queue",
    )

    #: a terminal of the host has the group that the devpts says
    owner_gid = 0

    def __init__(self, registry: "TerminalRegistry", descriptor: int, owner_uid: int) -> None:
        kernel = registry.kernel
        self.registry = registry
        #: in /dev/pts
        self.number = registry.free_number()
        self.open_files = 0
        #: all that were given
        self.descriptors: list[int] = []
        super().__init__(kernel, make_device(PTS_MAJOR, self.number))
        #: for settings and readiness
        self.descriptor = descriptor
        #: for reading and writing; -1 while none was given that can
        self.input = self.output = -1
        self.owner_uid = owner_uid
        #: settings to go back to, once the guest has changed them
        self.original: bytes | None = None
        #: the guest's, while the sandbox is stopped
        self.guest_settings: bytes | None = None
        self.poller = select.poll()
        self.poller.register(descriptor, POLLIN | POLLOUT)
        self.wait_queue = HostWaitQueue(kernel, descriptor)

    def add(self, descriptor: int) -> None:
        """Another descriptor of the same terminal, maybe for the other direction."""
        self.descriptors.append(descriptor)
        access = fcntl.fcntl(descriptor, fcntl.F_GETFL) & O_ACCMODE
        if access != O_WRONLY and self.input < 0:
            self.input = descriptor
        if access != O_RDONLY and self.output < 0:
            self.output = descriptor

    def open(self, path: "Path", flags: int) -> OpenFile:
        if self.descriptor < 0:
            raise EIO
        return HostTerminalFile(path, flags, self)

    def close_file(self) -> None:
        """One open file is released."""
        self.open_files -= 1
        self._close_if_unused()

    def _release_session(self, session: "Session") -> None:
        super()._release_session(session)
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        """Close it once nobody can come back: whoever is at its other end sees that."""
        if self.open_files or self.session is not None or self.descriptor < 0:
            return
        self.restore()
        self.registry.remove(self.number)
        self.wait_queue.close()
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptor = self.input = self.output = -1

    def restore(self) -> None:
        """Undo the guest's changes of the settings, from the background too."""
        if self.original is None:
            return
        original, self.original = self.original, None
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTTOU,))
        try:
            fcntl.ioctl(self.descriptor, TCSETS, original)
        except OSError as error:
            if error.errno != EIO.number:  # the terminal is gone
                raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def lend(self) -> None:
        """The sandbox is about to stop: the user's shell gets the terminal as it was."""
        if self.original is not None:
            self.guest_settings = self.settings()
            self.restore()

    def take_back(self) -> None:
        """The sandbox goes on: the guest's settings again, and maybe another window size."""
        if self.guest_settings is not None:
            self.change_settings(TCSETS, self.guest_settings)
            self.guest_settings = None
        self.window_changed()

    def readiness(self) -> int:
        """poll(2) bits that hold now."""
        ready = self.poller.poll(0)
        return ready[0][1] if ready else 0

    def settings(self) -> bytes:
        """The host's struct termios."""
        return fcntl.ioctl(self.descriptor, TCGETS, bytes(TERMIOS.size))

    def change_settings(self, request: int, settings: bytes) -> None:
        """Any TCSETS* request; none waits for the output to drain, which could be for ever."""
        if self.original is None:
            self.original = self.settings()
        if request in (TCSETSF, TCSETSF2):
            fcntl.ioctl(self.descriptor, TCFLSH, TCIFLUSH)
        fcntl.ioctl(self.descriptor, _WITHOUT_DRAIN.get(request, request), settings)


class HostTerminalFile(OpenFile):
    """An open description of the host's terminal."""

    __slots__ = ("terminal",)

    writes_whole = True

    def __init__(self, path: "Path", flags: int, terminal: HostTerminal) -> None:
        super().__init__(path, flags)
        self.terminal = terminal
        self.wait_queue = terminal.wait_queue
        terminal.open_files += 1

    def release(self) -> None:
        self.terminal.close_file()

    def read(self, size: int) -> bytes:
        terminal = self.terminal
        terminal.check_change(terminal.kernel.current_task, SIGTTIN)
        if not terminal.readiness() & (POLLIN | POLLHUP | POLLERR):
            raise EAGAIN
        return os.read(terminal.input, min(size, LARGEST_READ))

    def write(self, data: bytes) -> int:
        terminal = self.terminal
        if terminal.foreground is not None and self._stops_background():
            terminal.check_change(terminal.kernel.current_task)
        written = 0
        while written < len(data) and terminal.readiness() & (POLLOUT | POLLHUP | POLLERR):
            written += os.write(terminal.output, data[written : written + LARGEST_WRITE])
        if not written and data:
            raise EAGAIN
        return written

    def _stops_background(self) -> bool:
        task = self.terminal.kernel.current_task
        if task.thread_group.process_group is self.terminal.foreground:
            return False
        return bool(TERMIOS.unpack(self.terminal.settings())[3] & TOSTOP)

    def poll(self) -> int:
        return self.terminal.readiness()

    def ioctl(self, task: "Task", request: int, argument: int) -> int:
        terminal = self.terminal
        if terminal.job_control_ioctl(task, request, argument, self.readable):
            return 0
        descriptor = terminal.descriptor
        if request in (TCGETS, TCGETS2, TIOCGWINSZ, FIONREAD, TIOCOUTQ, TIOCGETD):
            size = _SIZES[request]
            answer = fcntl.ioctl(descriptor, request, bytes(size))
            task.memory.copy_out(argument, answer)
        elif request in (TCSETS, TCSETSW, TCSETSF, TCSETS2, TCSETSW2, TCSETSF2):
            settings = task.memory.copy_in(argument, _SIZES[_WITHOUT_DRAIN.get(request, request)])
            terminal.check_change(task)
            terminal.change_settings(request, settings)
        elif request == TIOCSWINSZ:
            size_wanted = task.memory.copy_in(argument, WINSIZE.size)
            terminal.check_change(task)
            fcntl.ioctl(descriptor, TIOCSWINSZ, size_wanted)
        elif request == TCFLSH:
            if argument > TCIOFLUSH:
                raise EINVAL
            terminal.check_change(task)
            fcntl.ioctl(descriptor, TCFLSH, argument)
        elif request in (TCSBRK, TCSBRKP, TCXONC, TIOCEXCL, TIOCNXCL):
            # Breaks, flow control and exclusive use are the host's own business.
            terminal.check_change(task)
        elif request == TIOCSTI:
            raise EIO  # typing on the host's terminal for the user: never
        else:
            raise ENOTTY
        return 0


_SIZES = {
    TCGETS: TERMIOS.size,
    TCSETS: TERMIOS.size,
    TCGETS2: TERMIOS2.size,
    TCSETS2: TERMIOS2.size,
    TIOCGWINSZ: WINSIZE.size,
    FIONREAD: INT.size,
    TIOCOUTQ: INT.size,
    TIOCGETD: INT.size,
}
