"""`runsc-py wait ID`."""

import sys

from runsc_py.runsc.arguments import Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.json_text import encode
from runsc_py.runsc.options import parse_count
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] wait [--pid PID] ID",
    "Wait for the end of a container, and print its exit status as JSON.",
    (("options", (Option("--pid --rootpid", "PID", "of this process instead"),)),),
    operands=(),
)


def _wait(container: "Container", parsed: Parsed) -> int:
    from runsc_py.runsc.containers.waiting import exit_status

    if (text := parsed.last("pid")) is not None:
        with container.client() as client:
            pid = parse_count("--pid", text)
            status = exit_status(client.wait_pid(container.identifier, pid))
    else:
        status = container.wait()
    document = {"id": container.identifier, "exitStatus": status}
    sys.stdout.write(encode(document) + "\n")
    return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Wait."""
    return with_container(SYNTAX, name, words, config, log, _wait)
