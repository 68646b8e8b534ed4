"""`runsc-py start`, `pause` and `resume`: from one state of a container to the next."""

from runsc_py.runsc.arguments import CONTAINER, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] start|pause|resume ID",
    "Start a created container; stop all of its sandbox where it is; let that go on.",
    operands=CONTAINER,
    epilog="""\
examples:
  runsc-py start web
  runsc-py pause web
  runsc-py resume web
""",
)


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Do what the command is called."""

    def act(container: "Container", parsed: Parsed) -> int:
        if name == "start":
            container.start()
        elif name == "pause":
            container.pause()
        else:
            container.resume()
        return 0

    return with_container(SYNTAX, name, words, config, log, act)
