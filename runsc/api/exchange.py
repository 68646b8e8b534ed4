"""The standard files of a program on our side: input fed, output read, shown and limited.

`step` is the whole of it: one look at what the host has, which passes on what there is.  Nothing
happens between two steps, so that no thread is needed; who wants to go on meanwhile calls `step`
with a time limit.
"""

from __future__ import annotations

import os
import selectors
from collections import deque
from collections.abc import Callable, Sequence
from errno import EIO
from threading import Lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    OnOutput: TypeAlias = Callable[[bytes], object]

CHUNK = 1 << 16


class Output:
    """One stream that the program writes: read by us, kept, shown to a callback."""

    def __init__(self, descriptor: int, callback: OnOutput | None = None) -> None:
        """Takes over the descriptor."""
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._callback = callback
        self.data = bytearray()

    def read(self) -> bool:
        """Take what there is; False at the end, or when there is nothing now."""
        try:
            data = os.read(self.descriptor, CHUNK)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno != EIO:
                raise
            return False  # a terminal that nobody has open any more
        self.data += data
        if data and self._callback is not None:
            self._callback(data)
        return bool(data)

    def close(self) -> None:
        """Nothing more is read."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Input:
    """What the program reads: a queue of bytes on their way."""

    def __init__(self, descriptor: int) -> None:
        """Takes over the descriptor."""
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._parts: deque[memoryview] = deque()
        #: no more is to come
        self.is_complete = False

    def add(self, data: bytes) -> None:
        """Have it written when there is room."""
        if data:
            self._parts.append(memoryview(data))

    def write(self) -> bool:
        """Write what there is room for; False when nothing is left to be written."""
        while self._parts:
            part = self._parts[0]
            try:
                count = os.write(self.descriptor, part[:CHUNK])
            except BlockingIOError:
                return True
            except OSError:  # it does not read on
                self._parts.clear()
                break
            self.wrote(part[:count])
            self._parts[0] = part[count:]
            if count == len(part):
                self._parts.popleft()
        return False

    def wrote(self, data: memoryview) -> None:
        """This has been written."""

    def close(self) -> None:
        """Its end."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


class Exchange:
    """Between a program and whoever has started it."""

    def __init__(
        self, given: Input, outputs: Sequence[Output], ended: int, limit: int | None
    ) -> None:
        """`ended`: a descriptor that is readable once the program is gone; it stays the caller's.

        `limit`: bytes of all outputs together; `exceeds` tells of more.
        """
        self._input = given
        self._outputs = outputs
        self._ended_descriptor = ended
        self._limit = limit
        self._lock = Lock()
        self._selector = selectors.EpollSelector()
        for output in outputs:
            self._selector.register(output.descriptor, selectors.EVENT_READ, output)
        self._selector.register(ended, selectors.EVENT_READ)
        self._is_fed = False
        self.ended = False

    def feed(self, data: bytes, *, complete: bool = False) -> None:
        """Have bytes written; `complete`: they are the last.  From any thread."""
        with self._lock:
            if self._input.descriptor < 0:
                return
            self._input.add(data)
            self._input.is_complete = self._input.is_complete or complete
            is_left = self._input.write()
            if is_left and not self._is_fed:
                self._selector.register(self._input.descriptor, selectors.EVENT_WRITE)
                self._is_fed = True
            elif not is_left:
                self._rest()

    def fileno(self) -> int:
        """Readable when there is something to pass on."""
        return self._selector.fileno()

    def step(self, timeout: float | None = None) -> bool:
        """Wait for something to happen, and pass it on; False when nothing has in time."""
        ready = self._selector.select(timeout)
        for key, _ in ready:
            if key.fd == self._ended_descriptor:
                self.ended = True
            elif isinstance(key.data, Output):
                if not key.data.read():
                    self._selector.unregister(key.fd)
            else:
                self._write()
        return bool(ready)

    def _write(self) -> None:
        with self._lock:
            if not self._input.write():
                self._rest()

    def _rest(self) -> None:
        """Nothing is left to be written."""
        if self._is_fed:
            self._selector.unregister(self._input.descriptor)
            self._is_fed = False
        if self._input.is_complete:
            self._input.close()

    @property
    def exceeds(self) -> bool:
        """Whether it has written more than it may."""
        return self._limit is not None and sum(len(one.data) for one in self._outputs) > self._limit

    def drain(self) -> None:
        """It has ended: take what it wrote before, and no more than it may have written."""
        for output in self._outputs:
            while output.descriptor >= 0 and not self.exceeds and output.read():
                continue

    def cut(self) -> list[bytes]:
        """What each output has, within the limit."""
        room = self._limit if self._limit is not None else sum(len(o.data) for o in self._outputs)
        found = []
        for output in self._outputs:
            found.append(bytes(output.data[:room]))
            room -= len(found[-1])
        return found

    def close(self) -> None:
        """Close every descriptor but the one that tells of the end."""
        with self._lock:
            self.abandon()

    def abandon(self) -> None:
        """The same in a fork of the process, where nobody holds the lock."""
        self._selector.close()
        self._input.close()
        for output in self._outputs:
            output.close()
