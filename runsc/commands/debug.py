"""`runsc-py debug ID`: look into a living sandbox."""

import os
import sys

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.commands.ps import process_table
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container
    from runsc_py.runsc.control.client import ControlClient

ALL, OFF = "all", "off"

SYNTAX = Syntax(
    "runsc-py [options] debug [options] ID",
    "Look into the sandbox of a container, and change what it logs.",
    (
        (
            "look",
            (
                Option("--stacks", help="where each task is, and the sentry itself"),
                Option("--ps", help="the processes of all containers of the sandbox"),
                Option(
                    "--follow",
                    "NAME,…",
                    "print system calls as they are made, all or these, until interrupted",
                    optional=True,
                ),
            ),
        ),
        (
            "change",
            (
                Option("--strace", "all|off|NAME,…", "system calls in the sandbox's --debug-log"),
                Option(
                    "--log-level",
                    "LEVEL",
                    "of the sandbox's log",
                    choices=("debug", "info", "warning"),
                ),
            ),
        ),
    ),
    operands=CONTAINER,
)


def _debug(container: "Container", parsed: Parsed) -> int:
    asked = [key for key in ("stacks", "ps", "follow", "strace", "log-level") if parsed.has(key)]
    if not asked:
        raise RunscError("debug: what about it? See runsc-py debug --help")
    with container.client() as client:
        if "strace" in asked or "log-level" in asked:
            _change(client, parsed)
        if "ps" in asked:
            sys.stdout.write(process_table(client.processes("")))
        if "stacks" in asked:
            sys.stdout.write(client.stacks())
        if "follow" in asked:
            sys.stdout.flush()
            _follow(client, names_of(parsed.last("follow") or ALL))
    return 0


def names_of(text: str) -> list[str]:
    """System calls by name; none for all of them.  Raises RunscError."""
    names = [] if text == ALL else [name for name in text.split(",") if name]
    from runsc_py.sentry.syscalls.numbers import NAMES

    known = frozenset(NAMES.values())
    for name in names:
        if name not in known:
            raise RunscError(f"unknown system call {name!r}; see runsc-py syscalls")
    return names


def _change(client: "ControlClient", parsed: Parsed) -> None:
    from runsc_py.runsc.control.calls import ChangeLogging

    call = ChangeLogging(parsed.last("log-level"))
    if (text := parsed.last("strace")) is not None:
        call.strace = text != OFF
        call.strace_syscalls = names_of(text) if call.strace else []
    client.change_logging(call)


def _follow(client: "ControlClient", names: list[str]) -> None:
    """Copy the trace to standard output until its end or ours."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    with open(reader, "rb", 0) as trace:
        try:
            request = client.follow(names, writer)
        finally:
            os.close(writer)
        while data := trace.read(1 << 16):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        client.followed(request)


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Do what the options ask for."""
    return with_container(SYNTAX, name, words, config, log, _debug)
