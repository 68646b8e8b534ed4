"""docs/syscalls.md, made from the table: `python -m runsc_py.sentry.syscalls.documentation`.

A test fails when the page and the table differ; `make docs` writes the page.
"""

from runsc_py.sentry.syscalls.all import TABLE
from runsc_py.sentry.syscalls.numbers import NAMES
from runsc_py.sentry.syscalls.table import Entry, Support

#: pages whose name is not the call's
_MAN_PAGES = {
    "pread64": "pread",
    "pwrite64": "pwrite",
    "newfstatat": "fstatat",
    "fadvise64": "posix_fadvise",
    "prlimit64": "prlimit",
    "pselect6": "pselect",
    "umount2": "umount",
    "exit_group": "exit_group",
    "getdents64": "getdents",
    "rt_sigaction": "sigaction",
    "rt_sigpending": "sigpending",
    "rt_sigprocmask": "sigprocmask",
    "rt_sigreturn": "sigreturn",
    "rt_sigsuspend": "sigsuspend",
    "rt_sigtimedwait": "sigtimedwait",
    "epoll_pwait2": "epoll_pwait",
}

_INTRODUCTION = """\
# System calls

Generated from the system call table; `make docs` writes it again. Do not edit.

Of the {total} x86-64 system calls of Linux, {full} are there in **full**, {partial} in
**part** (the note says what is missing or different), and {unsupported} are **unsupported**:
they answer `ENOSYS` unless the note says otherwise, and a run's log names each such call once.
Every call is answered by the sandbox's own kernel; none is passed to the host by itself.
"""


def _link(name: str) -> str:
    page = _MAN_PAGES.get(name, name)
    return f"[{name}(2)](https://man7.org/linux/man-pages/man2/{page}.2.html)"


def _module(entry: Entry) -> str:
    name = str(entry.handler.__module__).rpartition(".")[2]
    return f"[{name}](../sentry/syscalls/{name}.py)"


def _row(number: int, name: str, entry: Entry | None) -> str:
    if entry is None:
        return f"| {number} | {name} | unsupported | | |"
    note = entry.note.replace("|", "\\|")
    return f"| {number} | {_link(name)} | {entry.support.value} | {note} | {_module(entry)} |"


def render() -> str:
    """The whole page."""
    TABLE.load_all()
    entries = {number: TABLE.entries[number] for number in sorted(NAMES)}
    counts = dict.fromkeys(Support, 0)
    for entry in entries.values():
        counts[entry.support if entry is not None else Support.UNSUPPORTED] += 1
    lines = [
        _INTRODUCTION.format(
            total=len(entries),
            full=counts[Support.FULL],
            partial=counts[Support.PARTIAL],
            unsupported=counts[Support.UNSUPPORTED],
        ),
        "| number | call | support | note | where |",
        "| ---: | --- | --- | --- | --- |",
    ]
    lines += [_row(number, NAMES[number], entry) for number, entry in entries.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(render(), end="")
