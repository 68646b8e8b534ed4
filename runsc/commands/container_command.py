"""What the commands about one container have in common: their form, and which container it is."""

import sys

from runsc_py.runsc.arguments import Parsed, Syntax, help_text, parse
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from runsc_py.runsc.containers.container import Container

    Action: TypeAlias = Callable[[Container, Parsed], int]


#: NSIG of <signal.h>
SIGNALS_END = 65


def parse_or_help(syntax: Syntax, name: str, words: list[str]) -> Parsed | None:
    """The command line, options also behind the container's name; None when it was for help."""
    parsed = parse(syntax, words, f"runsc-py {name}")
    # runc's commands take options after the container's name; engines use that.
    while len(parsed.operands) > 1 and parsed.operands[1].startswith("-"):
        more = parse(syntax, parsed.operands[1:], f"runsc-py {name}")
        for key, values in more.values.items():
            parsed.values.setdefault(key, []).extend(values)
        parsed.operands = [parsed.operands[0], *more.operands]
        if not more.values:
            break
    if parsed.has("help"):
        sys.stdout.write(help_text(syntax))
        return None
    return parsed


def with_container(
    syntax: Syntax,
    name: str,
    words: list[str],
    config: Config,
    log: RuntimeLog,
    action: "Action",
    *,
    most: int = 1,
) -> int:
    """Do something with the container that the command line names.  Raises RunscError."""
    parsed = parse_or_help(syntax, name, words)
    if parsed is None:
        return 0
    return with_parsed(parsed, name, config, log, action, most=most)


def with_parsed(
    parsed: Parsed, name: str, config: Config, log: RuntimeLog, action: "Action", *, most: int = 1
) -> int:
    """The same with a command line that is parsed already."""
    if not parsed.operands:
        raise RunscError(f"{name} needs the id of a container")
    if len(parsed.operands) > most:
        raise RunscError(f"{name}: too many arguments: {' '.join(parsed.operands[most:])}")
    from runsc_py.runsc.containers.container import Container

    return action(Container.load(config.root, parsed.operands[0], log), parsed)


def signal_number(text: str) -> int:
    """`KILL`, `SIGKILL`, `9`.  Raises RunscError."""
    if text.isascii() and text.isdigit() and 0 <= int(text) < SIGNALS_END:
        return int(text)
    import signal

    name = text.upper()
    if not name.startswith("SIG"):
        name = "SIG" + name
    try:
        return signal.Signals[name].value
    except KeyError:
        raise RunscError(f"unknown signal {text!r}") from None


def whole_number(option: str, text: str) -> int:
    """A number of at least 0.  Raises RunscError."""
    if not (text.isascii() and text.isdigit() and int(text) < 1 << 63):
        raise RunscError(f"{option} {text!r}: use a whole number")
    return int(text)
