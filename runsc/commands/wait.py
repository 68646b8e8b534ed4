"""`runsc-py wait ID`."""

import sys

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.json_text import encode
from runsc_py.runsc.options import parse_count
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] wait [--pid PID | --rootpid PID] ID",
    "Wait for the end of a container, and print its exit status as JSON.",
    (
        (
            "instead of the first process",
            (
                Option("--pid", "PID", "this process of the container"),
                Option("--rootpid", "PID", "the same, by its number in the whole sandbox"),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
example:
  runsc-py wait web
""",
)


def _wait(container: "Container", parsed: Parsed) -> int:
    from runsc_py.runsc.containers.waiting import exit_status

    chosen = [key for key in ("pid", "rootpid") if parsed.has(key)]
    if len(chosen) > 1:
        raise RunscError("wait: --pid and --rootpid exclude each other")
    if chosen:
        (key,) = chosen
        pid = parse_count(f"--{key}", parsed.last(key) or "")
        with container.client() as client:
            answer = client.wait_pid(container.identifier, pid, in_root=key == "rootpid")
        status = exit_status(answer)
    else:
        status = container.wait()
    document = {"id": container.identifier, "exitStatus": status}
    sys.stdout.write(encode(document) + "\n")
    return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Wait."""
    return with_container(SYNTAX, name, words, config, log, _wait)
