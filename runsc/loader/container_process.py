"""A process that was asked for from outside: what it is given until it is started."""

from __future__ import annotations

import os

from runsc_py.runsc.control.errors import ControlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runsc_py.runsc.loader.programs import LimitedProgram
    from runsc_py.sentry.fs.devpts.terminal import Terminal
    from runsc_py.sentry.kernel.thread_group import ThreadGroup


class ContainerProcess:
    """A process that was asked for from outside: a container's first, or one of `exec`."""

    __slots__ = (
        "created",
        "executable",
        "group",
        "host_terminal",
        "passed_files",
        "pid_namespace_path",
        "program",
        "standard_files",
        "terminal",
        "visits",
    )

    def __init__(self, host_terminal: int = -1, standard_files: Sequence[int] = ()) -> None:
        #: None until it is started
        self.group: ThreadGroup | None = None
        #: the same before that, when it had to be there
        self.created: ThreadGroup | None = None
        self.terminal: Terminal | None = None
        #: of `exec`
        self.program: LimitedProgram | None = None
        #: the specification's, once it was started
        self.pid_namespace_path = ""
        #: descriptors that were given at creation; taken at the start
        self.host_terminal = host_terminal
        self.standard_files = tuple(standard_files)
        #: further ones by the numbers they get, and the program itself; -1 when that has a name
        self.passed_files: dict[int, int] = {}
        self.executable = -1
        #: calls.AwaitVisits' descriptor; -1 for none
        self.visits = -1

    @classmethod
    def of(
        cls,
        descriptors: Sequence[int],
        standard: int,
        guest_descriptors: Sequence[int],
        *,
        has_executable: bool,
    ) -> ContainerProcess:
        """What came with a call: `standard` files (one: a terminal), others, and the program.

        Raises ControlError.
        """
        if len(set(guest_descriptors)) != len(guest_descriptors):
            raise ControlError("a guest file descriptor is given twice")
        first, rest = descriptors[:standard], descriptors[standard:]
        made = cls(first[0]) if standard == 1 else cls(-1, first)
        made.passed_files = dict(zip(guest_descriptors, rest, strict=False))
        if has_executable:
            _check_executable(rest[-1])
            made.executable = rest[-1]
        return made

    def take_files(self, has_terminal: bool) -> dict[int, int]:
        """What was given, by the guest's numbers; who takes it closes it.  Raises ControlError."""
        given = self.standard_files
        if has_terminal:
            if given:
                raise ControlError(f"using TTY, stdios not expected: {len(given)}")
            if self.host_terminal < 0:
                raise ControlError(
                    "terminal enabled but no TTY provided. Did you set --console-socket on create?"
                )
            if not os.isatty(self.host_terminal):
                raise ControlError("importing fds: the TTY that was provided is no terminal")
            given = (self.host_terminal,) * 3
        elif len(given) != 3:
            raise ControlError(f"importing fds: 3 standard files expected, got {len(given)}")
        files = dict(enumerate(given))
        for number, descriptor in sorted(self.passed_files.items()):
            if number < 0:
                raise ControlError("importing fds: guest file descriptors must be 0 or greater")
            if number in files:
                raise ControlError(f"importing fds: app FD {number} displaced while importing FDs")
            files[number] = descriptor
        self.host_terminal, self.standard_files, self.passed_files = -1, (), {}
        return files

    def close(self) -> None:
        """Close what was given and not taken."""
        given = (
            self.host_terminal, self.visits, self.executable,
            *self.standard_files, *self.passed_files.values(),
        )  # fmt: skip
        self.host_terminal = self.visits = self.executable = -1
        self.standard_files = ()
        self.passed_files = {}
        for descriptor in given:
            if descriptor >= 0:
                os.close(descriptor)


def _check_executable(descriptor: int) -> None:
    """Raises ControlError."""
    from runsc_py.sentry.errors import EINVAL
    from runsc_py.sentry.fs.host_executable import check_host_executable

    try:
        check_host_executable(descriptor)
    except EINVAL:
        raise ControlError("the program's descriptor is no regular file that can be read") from None
