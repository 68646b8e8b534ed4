"""Usage, Logging and debug: what a living sandbox uses, prints, and does at this moment."""

from __future__ import annotations

import os
import stat
import sys
from errno import EBUSY

from runsc_py.runsc.boot import host_file_reader
from runsc_py.runsc.control import calls
from runsc_py.runsc.control.errors import STATE, UNSUPPORTED, ControlError
from runsc_py.runsc.control.server import LATER
from runsc_py.runsc.sandbox_log import LEVELS
from runsc_py.runsc.services.stacks import describe_stacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.runsc.config import Config
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.runsc.sandbox_log import SandboxLog
    from runsc_py.sentry.strace.strace import Strace

PAGE_SIZE = 4096


class Observation:
    """Handlers of `Usage.*`, `Logging.*` and `debug.*`."""

    def __init__(self, loader: Loader, log: SandboxLog) -> None:
        self._loader = loader
        self._kernel = loader.kernel
        self._log = log
        #: somebody reads the trace from a pipe
        self._followed = False
        self._read_memory = host_file_reader("/proc/self/statm")

    # -- memory --------------------------------------------------------------------------------

    def collect(self, call: calls.Usage, files: list[int], later: Deferred) -> calls.MemoryUsage:
        """The handler of Usage.Collect."""
        return self.usage(call)

    def usage(self, call: calls.Usage) -> calls.MemoryUsage:
        """Memory of the whole sandbox; each page of the guests is counted once."""
        groups = self._kernel.root_pid_namespace.thread_groups()
        uses = [
            one.memory_use() for one in {group.leader.memory for group in groups if group.tasks}
        ]
        anonymous = sum(use[0] for use in uses)
        shared = sum(use[1] for use in uses)
        files_size = self._kernel.memory_file_pages * PAGE_SIZE
        sentry = int(self._read_memory().split()[1]) * PAGE_SIZE
        return calls.MemoryUsage(
            mapped=shared,
            anonymous=anonymous,
            tmpfs=files_size,
            sentry=sentry,
            # Memory files that are mapped would be counted twice.
            total=anonymous + max(shared, files_size) + sentry,
            containers=self._by_container() if call.full else {},
        )

    def _by_container(self) -> dict[str, int]:
        found = {}
        for name, information in self._loader.containers.items():
            memories = {group.leader.memory for group in information.container.living()}
            found[name] = sum(sum(memory.memory_use()) for memory in memories)
        return found

    # -- logging -------------------------------------------------------------------------------

    def change_logging(
        self, call: calls.ChangeLogging, files: list[int], later: Deferred
    ) -> object:
        """Another level; the trace on or off, into the log or into a descriptor that came along."""
        if call.level is not None and call.level not in LEVELS:
            raise ControlError(f"unknown level {call.level!r}: use {', '.join(LEVELS)}")
        if len(files) > 1 or (files and not call.strace):
            raise ControlError("a descriptor is for a trace that begins")
        if files:
            self._follow(call, files, later)
            return LATER
        if call.strace:
            self._trace_into_log(call.strace_syscalls)
        elif call.strace is not None:
            self._kernel.trace(None)
        if call.level is not None:
            self._log.level = LEVELS[call.level]
        return None

    def trace_as_configured(self, config: Config) -> None:
        """`--strace` and its options, from the beginning on."""
        names = [name for name in config.strace_syscalls.split(",") if name]
        self._trace_into_log(names, config.strace_log_size)

    def _trace_into_log(self, names: list[str], string_limit: int | None = None) -> None:
        if self._log.descriptor < 0:
            raise ControlError(
                "the sandbox has no log for a trace",
                UNSUPPORTED,
                hint="create the container with --debug-log, or use debug --follow",
            )

        def write(data: bytes) -> None:
            try:
                self._log.write_trace(data)
            except OSError as error:
                # The guests go on without their trace; their calls must not get this errno.
                self._kernel.trace(None)
                self._log.warning(f"trace stopped: {error.strerror}")

        self._kernel.trace(self._strace(names, write, string_limit))

    def _follow(self, call: calls.ChangeLogging, files: list[int], later: Deferred) -> None:
        """Trace into a pipe of the client's until it hangs up; what it does not read is lost."""
        if not stat.S_ISFIFO(os.fstat(files[0]).st_mode):
            raise ControlError("a trace is followed through a pipe")
        if self._followed:
            raise ControlError("somebody else follows the trace", STATE, EBUSY)
        self._followed = True
        descriptor = files.pop()
        os.set_blocking(descriptor, False)
        before = self._kernel.strace
        follower = _Follower(descriptor)
        self._kernel.trace(self._strace(call.strace_syscalls, follower.write))

        def end() -> None:
            self._followed = False
            self._kernel.trace(before)
            follower.close()

        later.cancel = end

    def _strace(
        self, names: list[str], write: Callable[[bytes], None], string_limit: int | None = None
    ) -> Strace:
        from runsc_py.sentry.strace.strace import Strace
        from runsc_py.sentry.strace.text import STRING_LIMIT

        return Strace(
            lambda text: write(text.encode(errors="surrogateescape")),
            self._kernel,
            only=frozenset(names),
            string_limit=STRING_LIMIT if string_limit is None else string_limit,
        )

    # -- stacks --------------------------------------------------------------------------------

    def stacks(self, call: calls.Stacks, files: list[int], later: Deferred) -> str:
        """Where each task is, and the sentry itself."""
        return "\n".join(describe_stacks(self._kernel, sys._getframe())) + "\n"


class _Follower:
    """A pipe that somebody reads a trace from."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lost = 0

    def write(self, data: bytes) -> None:
        """Never waits; what has no room is lost, and the reader told how much it was."""
        if self._descriptor < 0:
            return
        if self._lost:
            data = b"\n... %d bytes lost\n" % self._lost + data
        try:
            count = os.write(self._descriptor, data)
        except BlockingIOError:
            self._lost += len(data)
        except OSError:
            self.close()
        else:
            self._lost = len(data) - count

    def close(self) -> None:
        """Nobody reads any more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
