"""`runsc-py usage ID`: the memory of a sandbox."""

import sys

from runsc_py.runsc.arguments import Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] usage [--full] ID",
    "Print the memory of a container's sandbox as JSON, in bytes.",
    (("options", (Option("--full", help="each container's memory as well"),)),),
    operands=(),
    epilog="""\
Anonymous is that of the programs alone, Mapped what they share (pages of several processes by their
share), Tmpfs that of files in memory, Sentry that of the sandbox's own process. Total counts no
page twice.
""",
)


def _usage(container: "Container", parsed: Parsed) -> int:
    import json

    with container.client() as client:
        usage = client.usage(parsed.has("full"))
    document: dict[str, object] = {
        "Total": usage.total,
        "Anonymous": usage.anonymous,
        "Mapped": usage.mapped,
        "Tmpfs": usage.tmpfs,
        "Sentry": usage.sentry,
    }
    if parsed.has("full"):
        document["Containers"] = usage.containers
    sys.stdout.write(json.dumps(document) + "\n")
    return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print it."""
    return with_container(SYNTAX, name, words, config, log, _usage)
