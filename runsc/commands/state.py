"""`runsc-py state ID`."""

import sys

from runsc_py.runsc.arguments import CONTAINER, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.json_text import encode_indented
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] state ID",
    "Print the state of a container, as OCI has it.",
    operands=CONTAINER,
    epilog="""\
example:
  runsc-py state web
""",
)


def _print(container: "Container", parsed: Parsed) -> int:
    sys.stdout.write(encode_indented(container.record.listed_state()) + "\n")
    return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print it."""
    return with_container(SYNTAX, name, words, config, log, _print)
