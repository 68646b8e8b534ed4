"""`runsc-py events ID`: what a container uses, as engines read it."""

import sys

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import parse_duration
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container
    from runsc_py.runsc.control.calls import ContainerStats, EventMessage

#: seconds
SHORTEST_INTERVAL = 0.01

SYNTAX = Syntax(
    "runsc-py [options] events [options] ID",
    "Print statistics of a container and when its memory was used up, a line of JSON each time, "
    "until it ends.",
    (
        (
            "options",
            (
                Option("--interval", "TIME", "between two statistics (default: 5s)"),
                Option("--stats", help="one line"),
                Option(
                    "--follow",
                    help="what happens, as it happens: started, exited, oom; with --interval "
                    "statistics as well",
                ),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
examples:
  runsc-py events --stats web
  runsc-py events --interval 1s web
  runsc-py events --follow web
""",
)


def statistics(identifier: str, stats: "ContainerStats") -> dict[str, object]:
    """The event in runc's form; times are nanoseconds, memory bytes."""
    return {
        "type": "stats",
        "id": identifier,
        "data": {
            "cpu": {
                "usage": {
                    "total": stats.cpu_total,
                    "kernel": stats.cpu_system,
                    "user": stats.cpu_user,
                    "percpu": [],
                }
            },
            "memory": {
                "usage": {
                    "usage": stats.memory_usage,
                    "limit": max(stats.memory_limit, 0),
                    "failcnt": 0,
                }
            },
            "pids": {"current": stats.pids_current, "limit": max(stats.pids_limit, 0)},
        },
    }


def _print_event(event: dict[str, object]) -> None:
    import json

    sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _events(container: "Container", parsed: Parsed) -> int:
    interval = _interval(parsed, "" if parsed.has("follow") else "5s")
    if parsed.has("follow"):
        return _follow(container, interval)
    identifier = container.identifier
    with container.client() as client:
        if parsed.has("stats"):
            _print_event(statistics(identifier, client.event(identifier)))
            return 0
        # A container that does not run is an error, which a subscription need not be.
        client.event(identifier)
        request = client.subscribe(identifier, interval)
        for event in client.events(request):
            if event.kind in ("stats", "oom"):
                _print_event(_shown(event))
            elif event.kind == "exited":
                return 0
    return 0


def _interval(parsed: Parsed, default: str) -> int:
    """Nanoseconds; 0 when there is none.  Raises RunscError."""
    text = parsed.last("interval") or default
    if not text:
        return 0
    seconds = parse_duration("--interval", text)
    if seconds < SHORTEST_INTERVAL:
        raise RunscError(f"--interval {text!r}: at least {SHORTEST_INTERVAL * 1000:.0f}ms")
    return int(seconds * 1_000_000_000)


def _shown(event: "EventMessage") -> dict[str, object]:
    """As a line has it."""
    if event.kind != "stats":
        return {"type": event.kind, "id": event.container_id, "data": event.data}
    from runsc_py.runsc.control.calls import ContainerStats
    from runsc_py.runsc.control.codec import decode

    return statistics(event.container_id, decode(ContainerStats, event.data))


def _follow(container: "Container", interval: int) -> int:
    """Until the sandbox ends, or the reader; nobody polls."""
    with container.client() as client:
        request = client.subscribe(container.identifier, interval)
        _print_event({"type": "subscribed", "id": container.identifier})
        for event in client.events(request):
            _print_event(_shown(event))
    return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print them."""
    return with_container(SYNTAX, name, words, config, log, _events)
