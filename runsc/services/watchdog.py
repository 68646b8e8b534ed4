"""`--watchdog-action`: notices a sentry that does not come back to the platform.

The run loop serves one stop after the other and then waits for the next, for milliseconds at most:
what takes minutes is a loop without end, a gofer that does not answer, or a deadlock in a library.
A thread of its own looks now and then whether a stop has been served since, and if not whether the
loop waits, which it may as long as it likes.  That costs the loop nothing.  Where a call into C
keeps the interpreter's lock, nobody can look: the fault handler of C then prints what it finds.
"""

from __future__ import annotations

import _thread
import faulthandler
import signal
import sys
import time

from runsc_py.runsc.services.stacks import describe_stacks
from runsc_py.sentry.kernel.events import HostEvents
from runsc_py.sentry.kernel.run_loop import RunLoop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    from runsc_py.runsc.config import Config
    from runsc_py.runsc.panic import PanicReport
    from runsc_py.runsc.sandbox_log import SandboxLog
    from runsc_py.sentry.kernel.kernel import Kernel

#: looks in the time that a sentry may be away
LOOKS = 4
#: times that, after which C's fault handler speaks up for us
_PATIENCE_OF_C = 2


class Watchdog:
    """Watches the thread that makes it."""

    def __init__(
        self, kernel: Kernel, config: Config, report: PanicReport, log: SandboxLog
    ) -> None:
        self._kernel = kernel
        self._report = report
        self._log = log
        self._panics = config.watchdog_action == "panic"
        self._timeout = config.watchdog_timeout
        self._thread = _thread.get_ident()
        #: where the loop waits
        self._waits: tuple[CodeType, ...] = (
            RunLoop.run.__code__,
            HostEvents.poll.__code__,
            type(kernel.platform).wait.__code__,
        )
        # Signals are for the thread that can be interrupted by them.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            _thread.start_new_thread(self._watch, ())
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _watch(self) -> None:
        moment, since, told = -1, 0.0, False
        while True:
            self._arm_fault_handler()
            time.sleep(self._timeout / LOOKS)
            frame = sys._current_frames().get(self._thread)
            now = time.monotonic()
            if frame is None or frame.f_code in self._waits or moment != self._kernel.moment:
                moment, since, told = self._kernel.moment, now, False
            elif now - since >= self._timeout and not told:
                told = True
                self._tell(frame, now - since)

    def _tell(self, frame: FrameType, seconds: float) -> None:
        text = f"watchdog: the sentry has been busy with one thing for {seconds:.0f} s"
        stacks = [f"{line}\n" for line in describe_stacks(self._kernel, frame)]
        if self._panics:
            self._report.panic(text, stacks)
        self._log.warning(f"{text}\n" + "".join(stacks))

    def _arm_fault_handler(self) -> None:
        if self._log.descriptor >= 0:
            faulthandler.dump_traceback_later(
                self._timeout * _PATIENCE_OF_C, file=self._log.descriptor, exit=self._panics
            )


def panic_on_signal(kernel: Kernel, number: int, report: PanicReport) -> None:
    """`--panic-signal`: a sandbox that hangs is to say where."""

    def handle(received: int, frame: FrameType | None) -> None:
        stacks = [f"{line}\n" for line in describe_stacks(kernel, frame)]
        report.panic(f"signal {received} asked for a panic", stacks)

    signal.signal(number, handle)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (number,))
