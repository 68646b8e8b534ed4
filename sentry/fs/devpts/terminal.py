"""What every terminal has: a session, a foreground process group, and the rules of job control.

`PseudoTerminal` (devpts/pair.py) and `HostTerminal` (fs/host_terminal.py) derive from `Terminal`.
ioctl_tty(2), "Controlling terminal" and "Process group and session ID"; credentials(7);
Linux's drivers/tty/tty_jobctrl.c.
"""

from runsc_py.sentry.abi.ioctl import (
    INT,
    TIOCGPGRP,
    TIOCGSID,
    TIOCNOTTY,
    TIOCSCTTY,
    TIOCSPGRP,
)
from runsc_py.sentry.abi.signals import (
    SIG_IGN,
    SIGCONT,
    SIGHUP,
    SIGTTIN,
    SIGTTOU,
    SIGWINCH,
    bit,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import EINVAL, EIO, ENOTTY, EPERM, ESRCH
from runsc_py.sentry.kernel.signals import SignalInfo
from runsc_py.sentry.kernel.waiting import Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.sessions import ProcessGroup, Session
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.kernel.thread_group import ThreadGroup
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path


class Terminal:
    """A terminal as job control sees it."""

    __slots__ = ("__weakref__", "device", "foreground", "kernel", "session")

    def __init__(self, kernel: "Kernel", device: int) -> None:
        self.kernel = kernel
        #: dev_t: tty_nr in /proc/PID/stat
        self.device = device
        #: the session it controls
        self.session: Session | None = None
        self.foreground: ProcessGroup | None = None

    def open(self, path: "Path", flags: int) -> "OpenFile":
        """A new description of this terminal: what opening /dev/tty gives.  Errors: EIO."""
        raise NotImplementedError

    # -- signals -------------------------------------------------------------------

    def signal_foreground(self, number: int) -> None:
        """What a key, a hang-up or a new window size sends."""
        if self.foreground is not None:
            self.foreground.send_signal(SignalInfo.from_kernel(number))

    def window_changed(self) -> None:
        """The window has another size."""
        self.signal_foreground(SIGWINCH)

    def disconnect(self) -> None:
        """The line is gone: the session leader hears SIGHUP and the session loses the terminal."""
        session = self.session
        if session is None:
            return
        if session.leader is not None:
            session.leader.send_signal(SignalInfo.from_kernel(SIGHUP))
            session.leader.send_signal(SignalInfo.from_kernel(SIGCONT))
        self._release_session(session)

    # -- the controlling terminal -----------------------------------------------------

    def make_controlling(self, leader: "ThreadGroup") -> None:
        """Become the controlling terminal of the session that `leader` leads."""
        session = leader.session
        if session is None:
            return
        session.terminal = self
        self.session = session
        self.foreground = leader.process_group

    def acquire_on_open(self, task: "Task") -> None:
        """Opening without O_NOCTTY gives a session leader that has none its terminal."""
        session = task.thread_group.session
        if (
            session is not None
            and session.leader is task.thread_group
            and session.terminal is None
            and self.session is None
        ):
            self.make_controlling(task.thread_group)

    def hang_up(self, session: "Session") -> None:
        """The session's leader ends: the foreground group is told, the session loses us."""
        if self.session is session:
            self.signal_foreground(SIGHUP)
            self._release_session(session)

    def _release_session(self, session: "Session") -> None:
        if session.terminal is self:
            session.terminal = None
        self.session = None
        self.foreground = None

    def is_controlling(self, task: "Task") -> bool:
        """Whether it is the task's controlling terminal."""
        session = task.thread_group.session
        return session is not None and session.terminal is self

    # -- background access ----------------------------------------------------------------

    def check_change(self, task: "Task", number: int = SIGTTOU) -> None:
        """Stop a background process that touches the terminal (Linux's __tty_check_change).

        Raises Interrupted when the signal was sent; EIO where it cannot be.
        """
        if not self.is_controlling(task):
            return
        group = task.thread_group.process_group
        if self.foreground is None or group is None or group is self.foreground:
            return
        handler = task.thread_group.handlers.get(number).handler
        if task.signal_mask & bit(number) or handler == SIG_IGN:
            if number == SIGTTIN:
                raise EIO
            return
        if group.is_orphaned():
            raise EIO
        group.send_signal(SignalInfo.from_kernel(number))
        raise Interrupted

    # -- ioctl ------------------------------------------------------------------------------

    def job_control_ioctl(
        self,
        task: "Task",
        request: int,
        argument: int,
        readable: bool,
        is_master: bool = False,
    ) -> bool:
        """The requests of ioctl_tty(2) about sessions and groups; False for any other.

        The master of a pseudo-terminal may ask about a terminal that is not its own.
        """
        if request in (TIOCGPGRP, TIOCGSID) and not is_master and not self.is_controlling(task):
            raise ENOTTY
        if request == TIOCGPGRP:
            self._get_foreground(task, argument)
        elif request == TIOCSPGRP:
            self._set_foreground(task, argument)
        elif request == TIOCGSID:
            self._get_session(task, argument)
        elif request == TIOCSCTTY:
            self._set_controlling(task, argument, readable)
        elif request == TIOCNOTTY:
            self._give_up(task)
        else:
            return False
        return True

    def _get_foreground(self, task: "Task", argument: int) -> None:
        number = 0
        if self.foreground is not None:
            number = self.foreground.identifier_in(task.pid_namespace)
        task.memory.copy_out(argument, INT.pack(number))

    def _set_foreground(self, task: "Task", argument: int) -> None:
        self.check_change(task)
        if not self.is_controlling(task):
            raise ENOTTY
        (number,) = INT.unpack(task.memory.copy_in(argument, INT.size))
        if number < 0:
            raise EINVAL
        group = task.pid_namespace.process_groups.get(number)
        if group is None:
            raise ESRCH
        if group.session is not task.thread_group.session:
            raise EPERM
        self.foreground = group

    def _get_session(self, task: "Task", argument: int) -> None:
        if self.session is None:
            raise ENOTTY
        number = self.session.identifier_in(task.pid_namespace)
        task.memory.copy_out(argument, INT.pack(number))

    def _set_controlling(self, task: "Task", argument: int, readable: bool) -> None:
        session = task.thread_group.session
        is_leader = session is not None and session.leader is task.thread_group
        if is_leader and self.session is session:
            return
        if session is None or not is_leader or session.terminal is not None:
            raise EPERM
        privileged = task.credentials.has_capability(CAP_SYS_ADMIN)
        if self.session is not None:
            if argument != 1 or not privileged:
                raise EPERM
            self._release_session(self.session)
        if not readable and not privileged:
            raise EPERM
        self.make_controlling(task.thread_group)

    def _give_up(self, task: "Task") -> None:
        if not self.is_controlling(task):
            raise ENOTTY
        session = self.session
        if session is not None and session.leader is task.thread_group:
            self.signal_foreground(SIGHUP)
            self.signal_foreground(SIGCONT)
            self._release_session(session)
        # Only the leader takes the terminal from the others; here it belongs to the
        # session as a whole, so a member that wants to be without it keeps it.
