"""Programs for asyncio: started and waited for in threads, killed when nobody waits any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from runsc_py.runsc.api.results import ProcessFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.runsc.api.results import Result

    class Waitable(Protocol):
        """A program that has been started."""

        def wait(self, *, check: bool = False) -> Result: ...

        def kill(self) -> None: ...


async def run_in_thread(start: Callable[[], Waitable], *, check: bool) -> Result:
    """Start a program and wait for it; cancelled, it kills the program."""
    starting = asyncio.create_task(asyncio.to_thread(start))
    waiting: asyncio.Task[Result] | None = None
    try:
        process = await asyncio.shield(starting)
        waiting = asyncio.create_task(asyncio.to_thread(process.wait, check=check))
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        # Threads cannot be cancelled: end what they wait for.
        process = await starting
        await asyncio.to_thread(process.kill)
        with suppress(ProcessFailed):
            await (waiting or asyncio.to_thread(process.wait))
        raise
