"""The tables of host calls in SECURITY.md, made from what the filters are made of.

    python -m runsc_py.runsc.confinement.documentation SECURITY.md

replaces what is between the two marks there.
"""

import sys
from pathlib import Path

from runsc_py.runsc.confinement.allowed_calls import (
    CONTROL,
    GOFER,
    INTERPRETER,
    MODULES,
    NETWORK,
    SENTRY,
    WAITER,
)
from runsc_py.runsc.confinement.filters import Call

BEGIN = "<!-- host calls: made by `make docs` -->\n"
END = "<!-- end of host calls -->\n"

#: what is said above each table
_TABLES = (
    ("Sentry and gofer, as any process of this interpreter:", INTERPRETER),
    ("The sentry besides:", SENTRY[len(INTERPRETER) :]),
    ("The sentry of a sandbox for containers besides:", CONTROL),
    ("The sentry of `runsc-py run` besides:", MODULES),
    ("With `--network host` besides:", NETWORK),
    ("The gofer besides:", GOFER[len(INTERPRETER) :]),
    ("A process that waits for a container, alone:", WAITER),
)


def _table(calls: tuple[Call, ...]) -> str:
    """Calls with the same reason share a line."""
    names: dict[str, list[str]] = {}
    for call in calls:
        marked = f"`{call.name}`" + (" (arguments are checked)" if call.tests else "")
        names.setdefault(call.reason, []).append(marked)
    rows = [f"| {', '.join(those)} | {reason} |\n" for reason, those in names.items()]
    return "| call | for |\n| --- | --- |\n" + "".join(sorted(rows))


def tables() -> str:
    """All of them."""
    return "\n".join(f"{title}\n\n{_table(calls)}" for title, calls in _TABLES)


def with_tables(page: str) -> str:
    """The page with the tables of today."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has no marks")
    return before + BEGIN + "\n" + tables() + "\n" + END + after


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text()))
