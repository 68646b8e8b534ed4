"""`startContainer` hooks: programs of the container, run in it just before its own.

The container's first process exists meanwhile, so that it is the first in its namespaces, and does
not run.  As with runc, a hook that fails does not fail the `start` command, which has returned: the
container ends with status 1; the log and its standard error say why.
"""

from __future__ import annotations

import json
import os

from runsc_py.runsc.assembly import create
from runsc_py.runsc.containers.hooks import signal_text
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.loader.identity import add_home
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.kernel.containers import OneTimeWaiter
from runsc_py.sentry.kernel.exit import exit_thread_group
from runsc_py.sentry.kernel.process_creation import CreationError, start_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.runsc.loader.loader import ContainerInformation
    from runsc_py.runsc.oci.spec import Hook
    from runsc_py.sentry.kernel.kernel_thread import KernelThread
    from runsc_py.sentry.kernel.process_creation import ProcessArguments
    from runsc_py.sentry.kernel.thread_group import ThreadGroup

SECOND = 1_000_000_000
#: bytes of a failed hook's output that are reported
OUTPUT_LIMIT = 4096
FAILED = 1 << 8
STANDARD_ERROR = 2


class StartHooks:
    """The hooks of one container, one after the other; then its first process is let go."""

    def __init__(
        self,
        information: ContainerInformation,
        first: ThreadGroup,
        make_arguments: Callable[[], tuple[ProcessArguments, KernelThread]],
    ) -> None:
        """`make_arguments`: a process like the first, and who looks for its files."""
        self._information = information
        self._first = first
        self._make_arguments = make_arguments
        hooks = information.spec.hooks
        self._hooks: list[Hook] = hooks.start_container if hooks is not None else []
        self._index = -1
        self._output = -1

    def next(self) -> None:
        """Start the next hook, or the first process."""
        self._index += 1
        if self._index == len(self._hooks):
            start_process(self._first)
            return
        try:
            group = self._create(self._hooks[self._index])
        except (CreationError, ControlError, OSError) as error:
            self._fail(str(error))
            return
        self._watch(group, self._hooks[self._index])
        start_process(group)

    def _create(self, hook: Hook) -> ThreadGroup:
        arguments, walker = self._make_arguments()
        arguments.argv = [os.fsencode(word) for word in hook.args or [hook.path]]
        arguments.file_name = os.fsencode(hook.path)
        if hook.env is not None:
            arguments.environment = [os.fsencode(entry) for entry in hook.env]
        else:
            add_home(walker, arguments.environment, arguments.credentials.uid)
        terminals = self._information.container.terminals
        state = os.memfd_create("state", os.MFD_CLOEXEC)
        os.write(state, self._state())
        os.lseek(state, 0, os.SEEK_SET)
        self._output = os.memfd_create("output", os.MFD_CLOEXEC)
        files = {0: state, 1: os.dup(self._output), 2: os.dup(self._output)}
        return create(walker, arguments, terminals, files)

    def _state(self) -> bytes:
        information = self._information
        state = {
            "ociVersion": information.spec.oci_version,
            "id": information.identifier,
            "status": "created",
            "pid": self._first.identifier_in(self._first.pid_namespace),
            "bundle": information.bundle,
            "annotations": information.spec.annotations,
        }
        return json.dumps(state).encode()

    def _watch(self, group: ThreadGroup, hook: Hook) -> None:
        """Go on when the hook has ended; end it when its time is over."""
        kernel = group.kernel
        late = False

        def ended() -> None:
            if timer is not None:
                timer.cancel()
            if self._first.exiting:
                os.close(self._output)
            elif late:
                self._fail(f"{hook.path}: hook ran past specified timeout of {hook.timeout}.0s")
            elif group.exit_status:
                self._fail(f"{hook.path}: {_describe(group.exit_status)}")
            else:
                os.close(self._output)
                self.next()

        def expired() -> None:
            nonlocal late
            late = True
            kernel.doom(group)

        timer = None
        if hook.timeout is not None:
            deadline = kernel.clock.monotonic() + hook.timeout * SECOND
            timer = kernel.timers.at(deadline, expired)
        OneTimeWaiter(group.exit_queue, ended)

    def _fail(self, reason: str) -> None:
        """The container ends."""
        text = b""
        if self._output >= 0:
            size = os.lseek(self._output, 0, os.SEEK_END)
            text = os.pread(self._output, OUTPUT_LIMIT, max(size - OUTPUT_LIMIT, 0))
            os.close(self._output)
        shown = text.decode(errors="replace").strip()
        message = f"error running startContainer hook #{self._index}: {reason}, output: {shown!r}"
        self._first.kernel.log.warning(message)
        self._complain(f"runsc-py: {message}\n".encode(errors="backslashreplace"))
        exit_thread_group(self._first, FAILED)

    def _complain(self, line: bytes) -> None:
        """On the container's standard error, where runc's own first process would tell."""
        try:
            self._first.leader.files.get(STANDARD_ERROR).write(line)
        except KernelError:
            return  # it has none, or nobody reads it


def _describe(status: int) -> str:
    code = os.waitstatus_to_exitcode(status & ~0x80)
    return f"exit status {code}" if code >= 0 else f"signal: {signal_text(-code)}"
