"""The table of system calls: its numbers, names and arity, and the page made from it."""

import re
from pathlib import Path

import pytest
from ptrace.syscall.prototypes import SYSCALL_PROTOTYPES

from runsc_py.sentry.strace.arguments import AFTER, BEFORE
from runsc_py.sentry.strace.flags import FLAG_SETS
from runsc_py.sentry.strace.names import NAME_SETS
from runsc_py.sentry.strace.structures import STRUCTURES
from runsc_py.sentry.syscalls.all import FAMILIES, TABLE
from runsc_py.sentry.syscalls.documentation import render
from runsc_py.sentry.syscalls.numbers import NAMES, syscall_name
from runsc_py.sentry.syscalls.table import Entry, Support

ROOT = Path(__file__).parents[3]
HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
ENTRIES = TABLE.load_all()

#: where python-ptrace describes the C library's function, or an older kernel's
OTHER_ARITY = {
    "clone": "it has the arguments of i386",
    "membarrier": "Linux 5.10 gave it a processor",
}


def names(entry: Entry) -> str:
    return entry.name


@pytest.mark.skipif(not HEADER.exists(), reason="linux-libc-dev is not installed")
def test_numbers_are_the_headers() -> None:
    found = re.findall(r"#define __NR_(\w+) (\d+)", HEADER.read_text())
    last = max(NAMES)  # a later header may know more
    header = {int(number): name for name, number in found if int(number) <= last}
    assert {number: NAMES.get(number) for number in header} == header


def test_names_are_those_of_the_numbers() -> None:
    assert {entry.number: entry.name for entry in ENTRIES} == {
        entry.number: syscall_name(entry.number) for entry in ENTRIES
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=names)
def test_arity_is_python_ptraces(entry: Entry) -> None:
    """python-ptrace's prototypes, which somebody else wrote down."""
    prototype = SYSCALL_PROTOTYPES.get(entry.name)
    if prototype is None or entry.name in OTHER_ARITY:
        pytest.skip("no prototype")
    assert len(entry.arguments) == len(prototype[1])


@pytest.mark.parametrize("entry", ENTRIES, ids=names)
def test_entry_is_complete(entry: Entry) -> None:
    """A docstring naming the man page if there is one, known formatters, a note for a part."""
    documentation = entry.handler.__doc__ or ""
    assert re.match(r"\w+(\([27]\)|:)", documentation), documentation
    for name, kind in entry.arguments:
        assert kind.formatter in BEFORE or kind.formatter in AFTER, name
        sets = {"flags": FLAG_SETS, "name": NAME_SETS}.get(kind.formatter)
        assert sets is None or kind.of in sets, name
        if kind.formatter.endswith("_structure"):
            assert kind.of in STRUCTURES, name
    if entry.support is Support.PARTIAL:
        assert entry.note


def test_documentation_is_up_to_date() -> None:
    """`make docs` writes it."""
    assert (ROOT / "docs" / "syscalls.md").read_text() == render()


def test_families_name_their_calls() -> None:
    """What all.py says of each module is what the module registers."""
    found: dict[str, list[str]] = {}
    for entry in ENTRIES:
        family = str(entry.handler.__module__).rpartition(".")[2]
        found.setdefault(family, []).append(entry.name)
    assert found == {family: names.split() for family, names in FAMILIES.items()}


def test_families_are_all_named() -> None:
    """A module of the package that registers calls is in the list."""
    from pathlib import Path

    import runsc_py.sentry.syscalls as package

    modules = {
        path.stem
        for path in Path(str(package.__file__)).parent.glob("*.py")
        if "\n@syscall(" in path.read_text()
    }
    assert modules == FAMILIES.keys()
