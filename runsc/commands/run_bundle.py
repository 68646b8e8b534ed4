"""`runsc-py run --bundle DIR ID`: create, start, wait and delete in one."""

import os

from runsc_py.runsc.arguments import Option, Syntax
from runsc_py.runsc.commands.container_command import parse_or_help
from runsc_py.runsc.commands.create import OPTIONS, create_options
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.console_relay import ConsoleRelay

#: for who meant the other `run`
CONFIGURATION = "config.json"
HINT = "to run a program, and not a bundle: runsc-py run [options] -- COMMAND"

SYNTAX = Syntax(
    "runsc-py [options] run --bundle DIR [options] ID",
    "Create a container of a bundle, start it, wait for it and delete it.",
    (
        (
            "options",
            (
                *OPTIONS,
                Option("-d --detach", help="do not wait"),
                Option("--keep", help="do not delete it when it has ended"),
                Option("--no-subreaper", help="accepted: no process of the container is ours"),
                Option(
                    "--image-owners", "DIR", "of an unpacked image: whose files are", hidden=True
                ),
            ),
        ),
    ),
    operands=(),
)


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """The status is the container's.  Raises RunscError; nothing is left then."""
    parsed = parse_or_help(SYNTAX, "run", words)
    if parsed is None:
        return 0
    if len(parsed.operands) != 1:
        raise RunscError(f"run needs one id for the container; {HINT}")
    if not parsed.has("bundle") and not os.path.exists(CONFIGURATION):
        raise RunscError(f"JSON specification file {CONFIGURATION} not found; {HINT}")
    from runsc_py.runsc.containers.creation import Creation

    options = create_options(parsed)
    options.detached = parsed.has("detach")
    options.image = parsed.last("image-owners") or ""
    creation = Creation(config, log, parsed.operands[0], options)
    container = creation.create()
    kept = False
    try:
        container.start()
        kept = options.detached or parsed.has("keep")
        if options.detached:
            return 0
        process = container.record.process
        assert process is not None
        return _wait(process.pid, container.record.has_terminal, creation.relay)
    finally:
        if creation.relay is not None:
            creation.relay.close()
        if not kept:
            container.delete(force=True)


def _wait(pid: int, with_terminal: bool, relay: "ConsoleRelay | None") -> int:
    """The process is our child, whether it is a sandbox or waits for a container in one."""
    from runsc_py.runsc.containers.forwarding import forward_signals
    from runsc_py.runsc.containers.waiting import exit_status

    forward_signals(lambda number: os.kill(pid, number), with_terminal=with_terminal)
    if relay is not None:
        descriptor = os.pidfd_open(pid)
        try:
            relay.run(descriptor)
        finally:
            os.close(descriptor)
    return exit_status(os.waitpid(pid, 0)[1])
