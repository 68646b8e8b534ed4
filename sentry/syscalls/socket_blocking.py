"""Waiting for sockets: as `syscalls/blocking.py`, with MSG_DONTWAIT and timeouts."""

from __future__ import annotations

from collections.abc import Callable

from runsc_py.sentry.errors import EAGAIN, EINTR
from runsc_py.sentry.kernel.waiting import Interrupted, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.socket.socket import Socket

    T = TypeVar("T")


async def retry(
    task: Task,
    file: Socket,
    events: int,
    operation: Callable[[], T],
    may_wait: bool,
    timeout: int,
) -> T:
    """The result of `operation()`, tried again whenever `events` may have happened.

    `timeout` (SO_RCVTIMEO, SO_SNDTIMEO) is in nanoseconds, 0 for none.
    Errors: EAGAIN (it may not wait, or not any longer); EINTR (a signal; with a timeout a call
    is never restarted, signal(7)); Interrupted; those of `operation`.
    """
    try:
        return operation()
    except (EAGAIN, BlockingIOError):
        if not may_wait:
            raise EAGAIN from None
    deadline = task.kernel.clock.monotonic() + timeout if timeout else None
    file.acquire()
    try:
        while True:
            if not await wait(task, ((file.wait_queue, events),), deadline):
                raise EAGAIN
            try:
                return operation()
            except (EAGAIN, BlockingIOError):
                continue
    except Interrupted:
        if timeout:
            raise EINTR from None
        raise
    finally:
        file.drop()
