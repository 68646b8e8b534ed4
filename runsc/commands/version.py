"""`runsc-py version`."""

import sys
from importlib.metadata import version

from runsc_py.runsc.arguments import Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError

SYNTAX = Syntax("runsc-py version", "Print the version.", operands=())


def main(name: str, arguments: list[str]) -> int:
    """Print the version."""
    parsed = parse(SYNTAX, arguments, "runsc-py version")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if parsed.operands:
        raise RunscError("version takes no arguments")
    print(f"runsc-py {version('runsc-py')}")
    return 0
