"""Blocking calls on files: try, wait until the file is ready, try again.

Operations of open files never block; they raise EAGAIN where Linux would put the caller to
sleep.  Whether to sleep is decided here, by O_NONBLOCK.
"""

from __future__ import annotations

from collections.abc import Callable

from runsc_py.sentry.errors import EAGAIN
from runsc_py.sentry.kernel.waiting import ANY_EVENT, wait
from runsc_py.sentry.vfs.leases import LeaseHeld
from runsc_py.sentry.vfs.open_file import O_NONBLOCK, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from runsc_py.sentry.kernel.task import Task

    T = TypeVar("T")


async def without_lease(task: Task, operation: Callable[[], T]) -> T:
    """The result of an operation that may have to wait until a lease is given back."""
    while True:
        try:
            return operation()
        except LeaseHeld as lease:
            held = lease
        await wait(task, ((held.queue, ANY_EVENT),), held.deadline)


async def blocking(
    task: Task,
    file: OpenFile,
    events: int,
    operation: Callable[[], T],
    deadline: int | None = None,
) -> T:
    """The result of `operation()`, which is tried again whenever `events` may have happened.

    `deadline` is in ns of CLOCK_MONOTONIC.  The file stays open meanwhile, whoever closes its
    descriptor.  Errors: EAGAIN (O_NONBLOCK, or the deadline passed), those of `operation`;
    Interrupted.
    """
    try:
        return operation()
    except (EAGAIN, BlockingIOError):
        if file.flags & O_NONBLOCK:
            raise EAGAIN from None
    file.acquire()
    try:
        while True:
            if not await wait(task, ((file.wait_queue, events),), deadline):
                raise EAGAIN
            try:
                return operation()
            except (EAGAIN, BlockingIOError):
                if file.flags & O_NONBLOCK:
                    raise EAGAIN from None
    finally:
        file.drop()
