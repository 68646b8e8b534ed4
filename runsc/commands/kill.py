"""`runsc-py kill ID [SIGNAL]`."""

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import signal_number, with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import parse_count
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] kill [options] ID [SIGNAL]",
    "Send a signal (default: SIGTERM) to the first process of a container.",
    (
        (
            "instead of the first process",
            (
                Option("-a --all", help="every process"),
                Option("--pid", "PID", "this process of the container"),
                Option("--pgid", "PGID", "this process group of the container"),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
examples:
  runsc-py kill web
  runsc-py kill --all web KILL
  runsc-py kill --pid 7 web HUP
""",
)


def _kill(container: "Container", parsed: Parsed) -> int:
    from runsc_py.runsc.control.calls import TO_PROCESS, TO_PROCESS_GROUP

    chosen = [key for key in ("all", "pid", "pgid") if parsed.has(key)]
    if len(chosen) > 1:
        raise RunscError(f"kill: --{chosen[0]} and --{chosen[1]} exclude each other")
    words = parsed.operands[1:]
    number = signal_number(words[0] if words else "TERM")
    pid, mode = 0, TO_PROCESS
    for key, kind in (("pid", TO_PROCESS), ("pgid", TO_PROCESS_GROUP)):
        if (text := parsed.last(key)) is not None:
            pid, mode = parse_count(f"--{key}", text), kind
    container.kill(number, everyone=parsed.has("all"), pid=pid, mode=mode)
    return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Send it."""
    return with_container(SYNTAX, name, words, config, log, _kill, most=2)
