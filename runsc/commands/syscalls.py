"""`runsc-py syscalls`: the table of docs/syscalls.md, in a terminal or for a program."""

import sys

from runsc_py.runsc.arguments import FILE, Option, Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.replacing import replace_file

LEVELS = ("full", "partial", "unsupported")
FORMATS = ("table", "json", "csv")

SYNTAX = Syntax(
    "runsc-py syscalls [options] [NAME…]",
    "List the system calls of Linux and how far each is supported, or only those named.",
    (
        (
            "options",
            (
                Option("-f --format", "FORMAT", "table (default), json with the arguments of each "
                       "call, or csv", choices=FORMATS),
                Option("--json", help="the same as --format json"),
                Option("--filename --output", "FILE", "write it there", completes=FILE),
                Option("--os", "linux", "accepted: there are no others", choices=("linux",)),
                Option("--arch", "amd64", "accepted: there are no others", choices=("amd64",)),
                Option("--support", "LEVEL", "only these: full, partial, unsupported", repeats=True,
                       choices=LEVELS),
            ),
        ),
    ),
    operands=(),
    epilog="""\
A call that is unsupported answers ENOSYS, and a run's log names it once.

examples:
  runsc-py syscalls --support partial
  runsc-py syscalls --format csv --filename syscalls.csv
""",
)  # fmt: skip


class Call:
    """One system call as this command shows it."""

    __slots__ = ("arguments", "name", "note", "number", "support")

    def __init__(self, number: int, name: str) -> None:
        from runsc_py.sentry.syscalls.all import TABLE

        entry = TABLE.find(number)
        self.number = number
        self.name = name
        self.support = entry.support.value if entry is not None else "unsupported"
        self.note = entry.note if entry is not None else ""
        self.arguments = [argument for argument, _ in entry.arguments] if entry is not None else []


def _calls() -> list[Call]:
    from runsc_py.sentry.syscalls.numbers import NAMES

    return [Call(number, NAMES[number]) for number in sorted(NAMES)]


def _chosen(names: list[str], levels: list[str]) -> list[Call]:
    calls = _calls()
    unknown = sorted(set(names) - {call.name for call in calls})
    if unknown:
        raise RunscError(f"no system call of x86-64 is called {', '.join(unknown)}")
    return [
        call
        for call in calls
        if (not names or call.name in names) and (not levels or call.support in levels)
    ]


def _as_json(calls: list[Call]) -> str:
    import json

    document = [{key: getattr(call, key) for key in Call.__slots__} for call in calls]
    return json.dumps({"version": 1, "syscalls": document}, indent=1) + "\n"


def _as_text(calls: list[Call]) -> str:
    lines = [f"{call.number:>3} {call.name:<24} {call.support:<12} {call.note}" for call in calls]
    counts = [(level, sum(call.support == level for call in calls)) for level in LEVELS]
    summary = ", ".join(f"{count} {level}" for level, count in counts if count)
    return "\n".join([*map(str.rstrip, lines), "", summary or "none", ""])


def _as_csv(calls: list[Call]) -> str:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("number", "name", "support", "arguments", "note"))
    for call in calls:
        arguments = " ".join(call.arguments)
        writer.writerow((call.number, call.name, call.support, arguments, call.note))
    return text.getvalue()


def main(name: str, arguments: list[str]) -> int:
    """Print the list."""
    parsed = parse(SYNTAX, arguments, "runsc-py syscalls")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    calls = _chosen(parsed.operands, parsed.all("support"))
    form = parsed.last("format") or ("json" if parsed.has("json") else "table")
    text = {"json": _as_json, "csv": _as_csv, "table": _as_text}[form](calls)
    if (path := parsed.last("filename")) is None:
        sys.stdout.write(text)
        return 0
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise RunscError(f"--filename {path}: {error.strerror}") from None
    return 0
