"""The system call table: one entry per number, made by the `syscall` decorator.

The dispatcher, `--strace` and docs/syscalls.md read the same entries.  A number with no entry
anywhere answers ENOSYS and is reported once per run.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Coroutine, Iterable
from enum import Enum

from runsc_py.sentry.syscalls.types import ArgumentType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

#: CO_COROUTINE: the function is an `async def` (inspect would be a slow import)
_CO_COROUTINE = 0x80

#: handlers take the task and as many integers as the call has arguments
Handler = Callable[..., "int | None | Coroutine[Any, Any, int]"]
if TYPE_CHECKING:
    F = TypeVar("F", bound=Handler)


class Support(Enum):
    """How much of a call is there."""

    FULL = "full"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"


class Restart(Enum):
    """What becomes of a call that a signal interrupted, see signal(7)."""

    SYSTEM = "restarted if the handler has SA_RESTART"  # ERESTARTSYS
    NO_HANDLER = "restarted only if no handler runs"  # ERESTARTNOHAND
    NEVER = "fails with EINTR always"
    ALWAYS = "restarted whatever the handler says"  # ERESTARTNOINTR


class Entry:
    """One system call."""

    __slots__ = (
        "arguments",
        "blocking",
        "handler",
        "name",
        "note",
        "number",
        "restart",
        "support",
        "transfers",
        "unpack",
    )

    def __init__(
        self,
        number: int,
        name: str,
        handler: Handler,
        support: Support,
        note: str,
        restart: Restart,
        transfers: int,
    ) -> None:
        code: Any = handler.__code__
        annotations: dict[str, Any] = handler.__annotations__
        self.number = number
        self.name = name
        self.handler = handler
        self.support = support
        self.note = note
        self.restart = restart
        #: READS, WRITES: its result counts in /proc/PID/io
        self.transfers = transfers
        self.blocking = bool(code.co_flags & _CO_COROUTINE)
        #: (name, type) of each argument after the task
        self.arguments: list[tuple[str, ArgumentType]] = [
            (argument, annotations[argument]) for argument in code.co_varnames[1 : code.co_argcount]
        ]
        register_format = "<" + "".join(kind.format for _, kind in self.arguments)
        #: from the 48-byte argument buffer of a context to the handler's integers
        self.unpack = struct.Struct(register_format).unpack_from


class SyscallTable:
    """Entries by number; a dense list, since it is looked up at every trap.

    `entries` has the families that were imported; `find` imports the others' when they are needed.
    """

    __slots__ = ("_modules", "entries")

    SIZE = 512

    def __init__(self) -> None:
        self.entries: list[Entry | None] = [None] * self.SIZE
        #: name of a call → the module that has it
        self._modules: dict[str, str] = {}

    def add(self, entry: Entry) -> None:
        """Register; a number is registered once."""
        if self.entries[entry.number] is not None:
            raise ValueError(f"system call {entry.number} registered twice")
        self.entries[entry.number] = entry

    def declare(self, module: str, names: Iterable[str]) -> None:
        """Tell which calls a module has, by their names."""
        self._modules.update(dict.fromkeys(names, module))

    def find(self, number: int) -> Entry | None:
        """The entry of a call, whether its family was imported before or not."""
        if not 0 <= number < self.SIZE:
            return None
        if self.entries[number] is None:
            from runsc_py.sentry.syscalls.numbers import syscall_name

            module = self._modules.get(syscall_name(number))
            if module is not None:
                __import__(module)  # importlib itself would be one import more
        return self.entries[number]

    def load_all(self) -> list[Entry]:
        """Import every family; all entries by number."""
        for module in sorted(set(self._modules.values())):
            __import__(module)
        return [entry for entry in self.entries if entry is not None]


#: filled as families are imported
TABLE = SyscallTable()


def syscall(
    number: int,
    name: str,
    *,
    support: Support = Support.FULL,
    note: str = "",
    restart: Restart = Restart.SYSTEM,
    transfers: int = 0,
) -> Callable[[F], F]:
    """Register the decorated function as the handler of a system call.

    `note` says in a few words what is missing when `support` is PARTIAL.
    `transfers` (READS, WRITES) counts the results of a call that may wait.
    """

    def register(handler: F) -> F:
        TABLE.add(Entry(number, name, handler, support, note, restart, transfers))
        return handler

    return register
