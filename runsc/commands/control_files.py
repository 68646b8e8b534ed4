"""`runsc-py read-control` and `write-control`: the control group that programs inside see."""

import sys

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] read-control|write-control [options] ID",
    "Read a file of the control group that a container sees, or write it.",
    (
        (
            "options",
            (
                Option("--controller", "NAME", "cpu, cpuset, memory, pids, or cgroup for the rest",
                       choices=("cgroup", "cpu", "cpuset", "memory", "pids")),
                Option("--file", "NAME", "of the controller; memory.max and pids.max are written"),
                Option("--data", "TEXT", "what to write"),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
Each container sees one group, its own, in /sys/fs/cgroup as control groups' version 2 has it.

examples:
  runsc-py read-control --controller memory --file memory.current web
  runsc-py write-control --controller pids --file pids.max --data 100 web
""",
)  # fmt: skip


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Read or write it."""

    def act(container: "Container", parsed: Parsed) -> int:
        from runsc_py.runsc.control.inspection import ControlFile
        from runsc_py.runsc.control.inspector import Inspector

        controller, file = parsed.last("controller"), parsed.last("file")
        data, writes = parsed.last("data"), name == "write-control"
        if not controller or not file:
            raise RunscError(f"{name} needs --controller and --file; see {name} --help")
        if writes != (data is not None):
            raise RunscError(f"{name} {'needs' if writes else 'takes no'} --data")
        asked = ControlFile(controller, file, f"/{container.identifier}", data or "")
        with container.client() as client:
            inspector = Inspector(client)
            call = inspector.write_control_files if writes else inspector.read_control_files
            (result,) = call([asked])
        if result.error:
            raise RunscError(f"{name}: {result.error}")
        sys.stdout.write(result.value)
        return 0

    return with_container(SYNTAX, name, words, config, log, act)
