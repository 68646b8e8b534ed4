"""Signals that reach `runsc-py run` itself: passed on to the program, or acted on for all of it.

A terminal's keys (^C, ^\\) are for the foreground group of the terminal inside; everything else is
for the first process.  Job control reaches across: when the first process stops, as after ^Z, we
stop with it, so that the user's shell sees the job stopped; when the shell continues us, the
program goes on.  What was ignored when we were started (nohup(1), background jobs of sh) stays
ignored inside.
"""

import os
import signal

from runsc_py.sentry.abi.signals import SIG_IGN
from runsc_py.sentry.kernel.kernel import Kernel
from runsc_py.sentry.kernel.signals import SignalAction, SignalInfo
from runsc_py.sentry.kernel.thread_group import ThreadGroup

FORWARDED = (
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTSTP,
    signal.SIGCONT,
    signal.SIGWINCH,
)
#: sent by keys to the whole foreground group
KEYS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH)
#: ignored by Python itself or, as a shell's background job, by us: the program starts with them so
INHERITED_WHEN_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


def inherit_ignored_signals(group: ThreadGroup) -> None:
    """What this process was told to ignore, its program ignores too."""
    for number in INHERITED_WHEN_IGNORED:
        if signal.getsignal(number) == signal.SIG_IGN:
            group.handlers.actions[number] = SignalAction(SIG_IGN)


class HostSignals:
    """Passes signals on for as long as the kernel runs."""

    def __init__(self, kernel: Kernel, init: ThreadGroup) -> None:
        self._kernel = kernel
        self._init = init
        #: the host asked for the stop that the first process is about to make
        self._stop_requested = False
        for number in FORWARDED:
            if signal.getsignal(number) != signal.SIG_IGN:
                kernel.events.on_signal(number, self._forward)
        kernel.on_init_stop = self._stop_with_init

    def _forward(self, number: int) -> None:
        if number == signal.SIGTSTP:
            self._stop_requested = True
        terminal = self._kernel.terminals.host
        if number == signal.SIGCONT:
            self._continue()
        elif terminal is not None and number in KEYS:
            terminal.signal_foreground(number)
        else:
            self._init.send_signal(SignalInfo.from_kernel(number))

    def _stop_with_init(self) -> None:
        """The first process was stopped.  We follow where a shell can continue us.

        A program cannot stop us by stopping itself when there is no terminal: it would escape
        its time limit.
        """
        terminal = self._kernel.terminals.host
        if not self._stop_requested and terminal is None:
            return
        self._stop_requested = False
        if terminal is not None:
            terminal.lend()
        previous = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        # Returns when we were continued, or at once where the host does not stop an orphaned
        # process group; either way the program goes on.
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, previous)
        if terminal is not None:
            terminal.take_back()
        self._continue()

    def _continue(self) -> None:
        group = self._init.process_group
        if group is not None:
            group.send_signal(SignalInfo.from_kernel(signal.SIGCONT))
