"""`runsc-py read ID PATH`: a container's file on standard output."""

import os
import sys

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import whole_number, with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] read [options] ID PATH",
    "Print a regular file of a running container, as its root user would see it.",
    (
        (
            "options",
            (
                Option("--offset", "N", "bytes to leave out at the beginning"),
                Option("--size", "N", "bytes to print at most"),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
example:
  runsc-py read --size 100 web /etc/os-release
""",
)


def _read(container: "Container", parsed: Parsed) -> int:
    if len(parsed.operands) != 2:
        raise RunscError("read needs the id of a container and a path in it")
    offset = whole_number("--offset", parsed.last("offset") or "0")
    size = -1
    if (text := parsed.last("size")) is not None:
        size = whole_number("--size", text)
    # The sandbox makes what it writes to non-blocking: that must not be our standard output.
    reader, writer = os.pipe2(os.O_CLOEXEC)
    with open(reader, "rb", 0) as source, container.client() as client:
        try:
            request = client.begin_read(
                container.identifier, parsed.operands[1], writer, offset, size
            )
        finally:
            os.close(writer)
        output = sys.stdout.buffer
        while data := source.read(1 << 16):
            output.write(data)
        output.flush()
        client.finish(request, int)
    return 0


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print it."""
    return with_container(SYNTAX, name, words, config, log, _read, most=2)
