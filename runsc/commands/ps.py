"""`runsc-py ps ID`: the processes of a container."""

import sys

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax, parse
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.containers.status import STOPPED
from runsc_py.runsc.json_text import encode_compact
from runsc_py.runsc.runtime_log import RuntimeLog
from runsc_py.runsc.text import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container
    from runsc_py.runsc.control.calls import ProcessEntry

SYNTAX = Syntax(
    "runsc-py [options] ps [--format table|json] ID [PS-OPTION…]",
    "List the processes of a container, by their ids inside. Options of ps(1) are accepted; the "
    "table is always the same.",
    (
        (
            "options",
            (
                Option(
                    "-f --format", "table|json", "json: ids only", choices=("table", "json")
                ),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
example:
  runsc-py ps --format json web
""",
)  # fmt: skip
HEADER = ("UID", "PID", "PPID", "C", "TTY", "STIME", "TIME", "CMD")


def _print(container: "Container", parsed: Parsed) -> int:
    processes: list[ProcessEntry] = []
    if container.record.current_status() != STOPPED:
        with container.client() as client:
            processes = client.processes(container.identifier)
    if parsed.last("format") == "json":
        sys.stdout.write(encode_compact([process.pid for process in processes]) + "\n")
        return 0
    sys.stdout.write(process_table(processes))
    return 0


def process_table(processes: "list[ProcessEntry]") -> str:
    """As text, with a header."""
    rows = [HEADER]
    for process in processes:
        rows.append(
            (
                str(process.uid),
                str(process.pid),
                str(process.parent),
                str(process.processor),
                process.terminal,
                process.start_time,
                process.time,
                process.command,
            )
        )
    return table(rows, "   ")


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print them."""
    return with_container(SYNTAX, name, _own(words), config, log, _print)


def _own(words: list[str]) -> list[str]:
    """The words up to the container's name: what follows is for ps(1), and changes nothing."""
    parsed = parse(SYNTAX, words, "runsc-py ps")
    return words[: len(words) - len(parsed.operands) + 1]
