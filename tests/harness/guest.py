"""One guest program of tests/syscalls: a file, and the directives in its first comments.

A directive is a comment line `// guest: KEY = VALUE` (`#` in Python and shell)::

    args = one "two words"     arguments of the program
    stdin = text\\n              its standard input, with Python's escapes
    cflags = -static -lm       added to the compiler's command line
    options = --hostname box   options of `runsc-py run`
    env = NAME=VALUE           added to its environment
    status = 3                 the exit status it must have natively (default 0)
    timeout = 30               seconds, natively and inside (default 10)
    needs = perl               a program without which the case is skipped
    kernel = 6.13              the case is skipped on a host whose kernel is older
    nodes = 1                  the case is skipped on a host with another number of NUMA nodes
    user = root                natively only the superuser may; the case is skipped for others
    pending = why              inside it must still differ; remove this when it no longer does
"""

import ast
import shlex
from pathlib import Path

from harness.compiler import compile_c
from harness.programs import PYTHON

SUFFIXES = (".c", ".py", ".sh")
MARKS = ("// guest:", "# guest:")
KEYS = (
    "args",
    "stdin",
    "cflags",
    "options",
    "env",
    "status",
    "timeout",
    "needs",
    "kernel",
    "nodes",
    "user",
    "pending",
)
DEFAULT_TIMEOUT = 10.0


class Guest:
    """A program that prints what it saw, the same at every run."""

    def __init__(self, source: Path, root: Path) -> None:
        self.source = source
        self.name = str(source.relative_to(root).with_suffix(""))
        values = _directives(source)
        self.arguments = shlex.split(values.get("args", ""))
        self.stdin: bytes = ast.literal_eval(f'b"""{values.get("stdin", "")}"""')
        self.flags = shlex.split(values.get("cflags", ""))
        self.options = shlex.split(values.get("options", ""))
        self.environment = dict(word.split("=", 1) for word in shlex.split(values.get("env", "")))
        self.status = int(values.get("status", "0"))
        self.timeout = float(values.get("timeout", DEFAULT_TIMEOUT))
        self.needs = shlex.split(values.get("needs", ""))
        self.nodes = int(values.get("nodes", "0"))
        self.kernel = tuple(map(int, values.get("kernel", "0").split(".")))
        self.user = values.get("user", "")
        self.pending = values.get("pending", "")

    def command(self) -> list[str]:
        """The program and its arguments; compiles a C source."""
        if self.source.suffix == ".c":
            program = [str(compile_c(self.source, self.flags))]
        elif self.source.suffix == ".py":
            program = [PYTHON, "-I", str(self.source)]
        else:
            program = ["/bin/sh", str(self.source)]
        return [*program, *self.arguments]


def _directives(source: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in source.read_text().splitlines():
        mark = next((mark for mark in MARKS if line.startswith(mark)), None)
        if mark is None:
            continue
        key, equals, value = line.removeprefix(mark).partition("=")
        key = key.strip()
        if key not in KEYS or not equals:
            raise ValueError(f"{source}: unknown directive {line!r}; known: {', '.join(KEYS)}")
        values[key] = f"{values[key]} {value.strip()}" if key in values else value.strip()
    return values


def discover(root: Path) -> list[Guest]:
    """Every guest program below `root`, by name; tests of pytest are none."""
    return [
        Guest(path, root)
        for path in sorted(root.rglob("*"))
        if path.suffix in SUFFIXES and not path.name.startswith(("test_", "conftest"))
    ]
