"""Programs for asyncio: what they say wakes the event loop, which passes it on between two tasks.

Only what takes a moment (starting, killing) is done in a thread: asyncio has few, and a program
that runs for long must not hold one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.runsc.api.results import Result

    class Program(Protocol):
        """One that has been started."""

        def fileno(self) -> int:
            """Readable when `poll` has something to do."""

        def poll(self) -> Result | None:
            """Pass on what there is; the result when it has ended."""

        def kill(self) -> None:
            """End it."""


async def run(start: Callable[[], Program], *, check: bool) -> Result:
    """Start a program and wait for it; cancelled, it kills the program."""
    starting = asyncio.create_task(asyncio.to_thread(start))
    try:
        program = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting)
        raise
    return await wait(program, check=check)


async def wait(program: Program, *, check: bool) -> Result:
    """Wait for a program; cancelled, it kills the program."""
    try:
        result = await _watch(program)
    except asyncio.CancelledError:
        await _end(program)
        raise
    return result.check() if check else result


async def _end(program: Program) -> None:
    await asyncio.to_thread(program.kill)
    await _watch(program)


async def _watch(program: Program) -> Result:
    if (result := program.poll()) is not None:
        return result
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[Result] = loop.create_future()
    # A copy: the program closes its own at the end, and the loop must not find another file then.
    descriptor = os.dup(program.fileno())

    def look() -> None:
        if ended.done():
            return
        try:
            result = program.poll()
        except BaseException as error:  # of a callback; whoever waits gets it
            ended.set_exception(error)
        else:
            if result is not None:
                ended.set_result(result)

    loop.add_reader(descriptor, look)
    try:
        return await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
