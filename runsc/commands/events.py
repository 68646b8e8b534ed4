"""`runsc-py events ID`: what a container uses, as engines read it."""

import sys
import time

from runsc_py.runsc.arguments import Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.options import parse_duration
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container
    from runsc_py.runsc.control.calls import ContainerStats

SYNTAX = Syntax(
    "runsc-py [options] events [options] ID",
    "Print statistics of a container, a line of JSON each time.",
    (
        (
            "options",
            (
                Option("--interval", "TIME", "between two lines (default: 5s)"),
                Option("--stats", help="one line"),
                Option("--follow", help="what happens, as it happens: started, exited, oom"),
            ),
        ),
    ),
    operands=(),
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

    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def _events(container: "Container", parsed: Parsed) -> int:
    if parsed.has("follow"):
        return _follow(container)
    interval = parse_duration("--interval", parsed.last("interval") or "5s")
    with container.client() as client:
        while True:
            event = statistics(container.identifier, client.event(container.identifier))
            _print_event(event)
            if parsed.has("stats"):
                return 0
            time.sleep(interval)


def _follow(container: "Container") -> int:
    """Until the sandbox ends, or the reader; nobody polls."""
    with container.client() as client:
        request = client.subscribe(container.identifier)
        _print_event({"type": "subscribed", "id": container.identifier})
        for event in client.events(request):
            _print_event({"type": event.kind, "id": event.container_id, "data": event.data})
    return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print them."""
    return with_container(SYNTAX, name, words, config, log, _events)
