"""Profile.CPU: where the sentry spends its processor time, by sampling its stack.

A timer of the host counts the processor time of this process (setitimer(2), ITIMER_PROF); at each
tick the interpreter tells which frame it is in.  Between two profiles nothing of it is there.
"""

from __future__ import annotations

import os
import signal
import stat
from collections import Counter

from runsc_py.runsc.control.errors import GUEST, STATE, ControlError
from runsc_py.runsc.control.server import LATER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    from runsc_py.runsc.control import inspection
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.services.services import Services
    from runsc_py.sentry.kernel.kernel import Kernel

SECOND = 1_000_000_000
SHORTEST_PERIOD = 100_000
#: of `--profile`, seconds
PERIOD = 0.01
LONGEST_DURATION = 3600 * SECOND
#: different stacks that are told apart; deeper calls of further ones are counted as one
MOST_STACKS = 10_000
EBUSY = 16


def cpu(
    services: Services, call: inspection.ProfileCpu, files: list[int], later: Deferred
) -> object:
    """Begin; answered when the time is over."""
    if len(files) != 1 or not _can_be_written(files[0]):
        raise ControlError("profile arguments must contain 1 FD of a regular file or a pipe")
    if not 0 < call.duration <= LONGEST_DURATION:
        raise ControlError(f"invalid duration {call.duration}: up to an hour, in nanoseconds")
    if not SHORTEST_PERIOD <= call.period <= SECOND:
        raise ControlError(f"invalid period {call.period}: {SHORTEST_PERIOD} ns to a second")
    if signal.getsignal(signal.SIGPROF) != signal.SIG_DFL:
        raise ControlError("somebody else takes a profile", STATE, EBUSY)
    kernel = services.loader.kernel
    before = _programs(kernel)
    profile = Profile(call.period / SECOND)
    descriptor = files.pop()

    def finish() -> None:
        profile.stop()
        try:
            programs = _folded_programs(before, _programs(kernel), call.period)
            _write(descriptor, profile.folded() + programs)
        except OSError as error:
            later.fail(ControlError(f"profile: {error.strerror}", GUEST, error.errno or 0))
        else:
            later.answer(profile.samples)
        finally:
            os.close(descriptor)

    def give_up() -> None:
        timer.cancel()
        profile.stop()
        os.close(descriptor)

    timer = kernel.timers.at(kernel.clock.monotonic() + call.duration, finish)
    later.cancel = give_up
    return LATER


def _programs(kernel: Kernel) -> dict[str, int]:
    """Processor nanoseconds of each process's own code, and of those that have ended together."""
    found = {"ended": kernel.ended_usage.user}
    for group in kernel.root_pid_namespace.thread_groups():
        if group.tasks:
            name = _plain(group.leader.name.decode(errors="replace"))
            found[f"{name}[{group.identifier}]"] = group.user_time()
    return found


def _folded_programs(before: dict[str, int], after: dict[str, int], period: int) -> bytes:
    """The same beside the sentry's stacks, in units of its samples."""
    lines = []
    for name, used in after.items():
        count = (used - before.get(name, 0)) // period
        if count > 0:
            lines.append(f"programs;{name} {count}\n")
    return "".join(lines).encode()


def _can_be_written(descriptor: int) -> bool:
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def _write(descriptor: int, data: bytes) -> None:
    """All of it; a pipe that nobody empties loses the rest rather than hold up the guests."""
    os.set_blocking(descriptor, False)
    while data:
        data = data[os.write(descriptor, data) :]


class Profile:
    """Samples of one profile: of a while, or of a whole life (`--profile`)."""

    def __init__(self, period: float) -> None:
        self.samples = 0
        self._stacks: Counter[tuple[CodeType, ...]] = Counter()
        signal.signal(signal.SIGPROF, self._sample)
        # Where a system call is interrupted it goes on by itself.
        signal.siginterrupt(signal.SIGPROF, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGPROF,))
        signal.setitimer(signal.ITIMER_PROF, period, period)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        self.samples += 1
        stack = []
        while frame is not None:
            stack.append(frame.f_code)
            frame = frame.f_back
        key = tuple(reversed(stack))
        if key not in self._stacks and len(self._stacks) >= MOST_STACKS:
            key = key[:1]
        self._stacks[key] += 1

    def stop(self) -> None:
        """No more samples."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)  # one may be on its way
        signal.signal(signal.SIGPROF, signal.SIG_DFL)

    def folded(self) -> bytes:
        """As flame graphs are drawn of them."""
        lines = [
            f"{';'.join(_name(code) for code in stack)} {count}\n"
            for stack, count in sorted(self._stacks.items(), key=lambda item: -item[1])
        ]
        return "".join(lines).encode()


def _name(code: CodeType) -> str:
    """`file:function`, without what has a meaning in folded stacks."""
    file = os.path.basename(code.co_filename).removesuffix(".py")
    return _plain(f"{file}:{code.co_qualname}")


def _plain(name: str) -> str:
    return "".join("_" if one in "; " or not one.isprintable() else one for one in name)
