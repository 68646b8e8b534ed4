"""`runsc-py debug ID`: look into a living sandbox."""

import os
import sys
import time

from runsc_py.runsc.arguments import CONTAINER, FILE, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import parse_or_help, signal_number, with_parsed
from runsc_py.runsc.commands.ps import process_table
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import parse_count, parse_duration
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container
    from runsc_py.runsc.control.client import ControlClient

ALL, OFF = "all", "off"

SYNTAX = Syntax(
    "runsc-py [options] debug [options] ID | --pid PID",
    "Look into the sandbox of a container, and change what it logs.",
    (
        ("which", (Option("--pid", "PID", "the sandbox by its process on the host"),)),
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
                Option(
                    "--profile-cpu",
                    "FILE",
                    "where the sentry spends its processor time, as folded stacks for flame "
                    "graphs; - is standard output",
                    completes=FILE,
                ),
                Option(
                    "--duration",
                    "TIME",
                    "of --profile-cpu (default: 10s) and --follow (default: no end)",
                ),
                Option("--delay", "TIME", "wait before looking"),
            ),
        ),
        (
            "change",
            (
                Option(
                    "--mount",
                    "TYPE:SOURCE:PLACE[:FLAG,…]",
                    "mount a file system of the sandbox's kernel in the container; flags: ro, "
                    "noexec, nodev, nosuid, noatime",
                ),
                Option("--signal", "SIGNAL", "send it to the sandbox's own process"),
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
    epilog="""\
examples:
  runsc-py debug --ps --stacks web
  runsc-py debug --follow=openat,connect --duration 5s web
  runsc-py debug --profile-cpu out.folded --duration 30s web && flamegraph.pl out.folded > out.svg
  runsc-py debug --mount tmpfs:none:/tmp:nodev,nosuid web
""",
)
#: what is asked for, in the order in which it is done
LOOKS = (
    "signal", "mount", "strace", "log-level", "ps", "stacks", "follow", "profile-cpu",
)  # fmt: skip
DURATION = 10.0
SECOND = 1_000_000_000


def _debug(container: "Container", parsed: Parsed) -> int:
    asked = [key for key in LOOKS if parsed.has(key)]
    if not asked:
        raise RunscError("debug: what about it? See runsc-py debug --help")
    if {"follow", "profile-cpu"} <= set(asked):
        raise RunscError("debug: --follow and --profile-cpu exclude each other")
    duration = _time(parsed, "duration")
    if (delay := _time(parsed, "delay")) is not None:
        time.sleep(delay)
    if "signal" in asked:
        _signal(container, signal_number(parsed.last("signal") or ""))
        asked.remove("signal")
    if asked:
        _look(container, parsed, asked, duration)
    return 0


def _look(container: "Container", parsed: Parsed, asked: list[str], duration: float | None) -> None:
    """What is asked of the sandbox itself."""
    with container.client() as client:
        if "mount" in asked:
            _mount(container, client, parsed.last("mount") or "")
        if "strace" in asked or "log-level" in asked:
            _change(client, parsed)
        if "ps" in asked:
            sys.stdout.write(process_table(client.processes("")))
        if "stacks" in asked:
            sys.stdout.write(client.stacks())
        if "follow" in asked:
            sys.stdout.flush()
            _follow(client, names_of(parsed.last("follow") or ALL), duration)
        if "profile-cpu" in asked:
            _profile(client, parsed.last("profile-cpu") or "", duration or DURATION)


def _time(parsed: Parsed, key: str) -> float | None:
    """Seconds.  Raises RunscError."""
    text = parsed.last(key)
    return parse_duration(f"--{key}", text) if text is not None else None


def _signal(container: "Container", number: int) -> None:
    sandbox = container.record.sandbox
    if sandbox is None or not sandbox.kill(number):
        raise RunscError("the sandbox has ended")


def _mount(container: "Container", client: "ControlClient", text: str) -> None:
    from runsc_py.runsc.control.inspection import Mount
    from runsc_py.runsc.control.inspector import Inspector

    parts = text.split(":")
    if not 3 <= len(parts) <= 4 or not all(parts[:3]):
        raise RunscError(f"--mount {text!r}: use TYPE:SOURCE:PLACE, or TYPE:SOURCE:PLACE:ro,nodev")
    flags = [flag for flag in "".join(parts[3:]).split(",") if flag]
    call = Mount(container.identifier, parts[0], parts[1], parts[2], flags)
    Inspector(client).mount(call)


def _profile(client: "ControlClient", path: str, duration: float) -> None:
    """Folded stacks into a file, or on standard output."""
    from runsc_py.runsc.control.inspector import Inspector
    from runsc_py.runsc.replacing import replace_file

    descriptor = os.memfd_create("profile")
    with open(descriptor, "rb", 0) as profile:
        samples = Inspector(client).profile_cpu(descriptor, int(duration * SECOND))
        profile.seek(0)
        content = profile.read()
    if path == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        replace_file(path, content)
    except OSError as error:
        raise RunscError(f"--profile-cpu {path}: {error.strerror}") from None
    sys.stderr.write(f"runsc-py: {samples} samples in {path}\n")


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


def _follow(client: "ControlClient", names: list[str], duration: float | None) -> None:
    """Copy the trace to standard output until its end or ours."""
    end = None if duration is None else time.monotonic() + duration
    reader, writer = os.pipe2(os.O_CLOEXEC)
    with open(reader, "rb", 0) as trace:
        try:
            request = client.follow(names, writer)
        finally:
            os.close(writer)
        while _has_come(trace.fileno(), end) and (data := trace.read(1 << 16)):
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        if end is None:
            client.followed(request)


def _has_come(descriptor: int, end: float | None) -> bool:
    """Wait for something to read; False when the time is over."""
    if end is None:
        return True
    import select

    left = end - time.monotonic()
    return left > 0 and bool(select.select([descriptor], [], [], left)[0])


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Do what the options ask for."""
    parsed = parse_or_help(SYNTAX, name, words)
    if parsed is None:
        return 0
    if (text := parsed.last("pid")) is not None:
        if parsed.operands:
            raise RunscError("debug takes the id of a container or --pid, not both")
        parsed.operands = [_by_process(config, parse_count("--pid", text))]
    return with_parsed(parsed, name, config, log, _debug)


def _by_process(config: Config, pid: int) -> str:
    """The first container of the sandbox whose process it is.  Raises RunscError."""
    from runsc_py.runsc.containers.store import StateDirectory

    store = StateDirectory(config.root)
    for identifier in store.identifiers():
        record = store.load(identifier)
        if record.is_root and record.sandbox is not None and record.sandbox.pid == pid:
            return identifier
    raise RunscError(f"--pid {pid}: no sandbox of {config.root}")
