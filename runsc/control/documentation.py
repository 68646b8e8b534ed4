"""The table of control calls in docs/control.md, made from their declarations.

    python -m runsc_py.runsc.control.documentation docs/control.md

replaces what is between the two marks there.
"""

import sys
from pathlib import Path

from runsc_py.runsc.control.calls import Call, calls
from runsc_py.runsc.control.message import fields_of
from runsc_py.runsc.control.unsupported import UNSUPPORTED_CALLS

BEGIN = "<!-- calls: made by `make docs` -->\n"
END = "<!-- end of calls -->\n"


def _row(method: str, kind: type[Call]) -> str:
    arguments = ", ".join(f"`{name}`" for name in fields_of(kind) or ())
    text = " ".join((kind.__doc__ or "").split()).replace("|", "\\|")
    return f"| `{method}` | {arguments} | {text} |\n"


def table() -> str:
    """Every call, in the order in which they are declared, and those that are not offered."""
    head = "| method | arguments | |\n| --- | --- | --- |\n"
    rows = "".join(_row(method, kind) for method, kind in calls().items())
    return head + rows + "\n" + _NOT_OFFERED + "".join(map(_line, UNSUPPORTED_CALLS.items()))


_NOT_OFFERED = """\
gVisor has these calls as well, which are answered with `unsupported` here:

| method | why | instead |
| --- | --- | --- |
"""


def _line(call: tuple[str, tuple[str, str]]) -> str:
    method, (reason, hint) = call
    return f"| `{method}` | {reason} | {hint} |\n"


def with_table(page: str) -> str:
    """The page with the table of today."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks")
    return before + BEGIN + "\n" + table() + "\n" + END + after


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_table(path.read_text()))
