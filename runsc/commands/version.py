"""`runsc-py version`, in the form that engines read of every runtime."""

import sys
from importlib.metadata import version

from runsc_py.runsc.arguments import Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError

SYNTAX = Syntax(
    "runsc-py version",
    "Print the version.",
    operands=(),
    epilog="""\
example:
  runsc-py version
""",
)


def main(name: str, arguments: list[str]) -> int:
    """Print the version."""
    parsed = parse(SYNTAX, arguments, "runsc-py version")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if parsed.operands:
        raise RunscError("version takes no arguments")
    from runsc_py.runsc.oci.default import VERSION

    print(f"runsc-py version {version('runsc-py')}\nspec: {VERSION}")
    return 0
