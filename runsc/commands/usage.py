"""`runsc-py usage ID`: the memory of a sandbox."""

import sys

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

#: seconds between two lines of --fd
INTERVAL = 1

SYNTAX = Syntax(
    "runsc-py [options] usage [--full] [--fd] ID",
    "Print the memory of a container's sandbox as JSON, in bytes.",
    (
        (
            "options",
            (
                Option("--full", help="each container's memory as well"),
                Option(
                    "--fd",
                    help="by way of a file that the sandbox keeps up to date; a line every second, "
                    "without asking it again",
                ),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
Anonymous is that of the programs alone, Mapped what they share (pages of several processes by their
share), Tmpfs that of files in memory, Sentry that of the sandbox's own process. Total counts no
page twice.

examples:
  runsc-py usage --full web
  runsc-py usage --fd web
""",
)


def _usage(container: "Container", parsed: Parsed) -> int:
    import json

    if parsed.has("fd"):
        if parsed.has("full"):
            raise RunscError("usage: --full and --fd exclude each other")
        return _watch(container)
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


def _watch(container: "Container") -> int:
    """Until the sandbox ends, or the reader."""
    import json
    import os
    import select
    import struct

    from runsc_py.runsc.control.inspector import Inspector

    figures = struct.Struct("<5Q")
    descriptor = os.memfd_create("usage")
    with open(descriptor, "rb", 0), container.client() as client:
        Inspector(client).usage_descriptor(descriptor, INTERVAL * 1_000_000_000)
        while True:
            values = figures.unpack(os.pread(descriptor, figures.size, 0))
            names = ("Total", "Anonymous", "Mapped", "Tmpfs", "Sentry")
            sys.stdout.write(json.dumps(dict(zip(names, values, strict=True))) + "\n")
            sys.stdout.flush()
            # It says no more, but hangs up when it ends.
            if select.select([client.fileno()], [], [], INTERVAL)[0]:
                return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print it."""
    return with_container(SYNTAX, name, words, config, log, _usage)
