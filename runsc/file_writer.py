"""A process that writes to the host what the sentry hands back when a run is over.

It is forked before anything of the sandbox exists, while paths of the host can be named; the
sentry, which cannot by then, only writes a stream into a pipe.  Who writes that stream has served a
hostile program, so whoever reads it here takes it for hostile.
"""

import gc
import os
import signal
from collections.abc import Callable
from contextlib import suppress

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.standard_files import close_others

SUCCESS = b"\0"

#: of us; the end of the pipe says that it is over
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP)


class FileWriter:
    """The running process, as the one that started it has it."""

    def __init__(self, work: Callable[[int], None], kept: set[int]) -> None:
        """Fork it.  `work` reads the stream, a descriptor, and raises RunscError or OSError; of all
        other descriptors only `kept` are open to it.  Errors: OSError.
        """
        stream, self.descriptor = os.pipe2(os.O_CLOEXEC)
        self._reply, reply = os.pipe2(os.O_CLOEXEC)
        #: of the process
        self.pid = os.fork()
        if self.pid == 0:
            _run_child(work, kept, stream, reply)
        os.close(stream)
        os.close(reply)

    def finish(self) -> str:
        """Close the stream and wait; returns what went wrong, empty when nothing did."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        words = b""
        while part := os.read(self._reply, 4096):
            words += part
        os.close(self._reply)
        # The platform reaps every child that ends while it waits.
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        if words == SUCCESS:
            return ""
        return words.decode(errors="replace") or "the process that writes it was killed"


def _run_child(work: Callable[[int], None], kept: set[int], stream: int, reply: int) -> None:
    """The whole life of the child; never returns."""
    # Garbage of the parent must not be finalized here, where its descriptors are others.
    gc.freeze()
    try:
        os.setsid()
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        _keep_only(kept | {stream, reply})
        try:
            work(stream)
            answer = SUCCESS
        except RunscError as error:
            answer = str(error).encode(errors="replace")
        except OSError as error:
            answer = (error.strerror or str(error)).encode(errors="replace")
        except Exception as error:
            answer = f"internal error: {type(error).__name__}: {error}".encode(errors="replace")
        os.write(reply, answer)
    finally:
        os._exit(0)


def _keep_only(kept: set[int]) -> None:
    """Close every other descriptor; 0, 1 and 2 become /dev/null."""
    null = os.open("/dev/null", os.O_RDWR)
    for standard in {0, 1, 2} - kept:
        os.dup2(null, standard, inheritable=False)
    close_others(kept)
