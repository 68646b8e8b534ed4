"""Interpreter scripts: the `#!` line, execve(2)."""

from runsc_py.sentry.errors import EACCES, ENOEXEC

#: how much of the first line counts (Linux's BINPRM_BUF_SIZE)
LINE_LIMIT = 256
#: scripts that run scripts: more is ELOOP
MAX_DEPTH = 5


def parse_script(head: bytes) -> tuple[bytes, bytes | None]:
    """(interpreter path, its one optional argument).  Errors: ENOEXEC, EACCES."""
    line = head[2 : LINE_LIMIT - 1]
    newline = line.find(b"\n")
    if newline >= 0:
        line = line[:newline]
    elif len(head) >= LINE_LIMIT and not any(
        separator in line.lstrip(b" \t") for separator in (b" ", b"\t")
    ):
        raise ENOEXEC  # the path itself was cut off
    end = line.find(b"\0")
    if end >= 0:
        line = line[:end]
    line = line.strip(b" \t")
    if not line:
        # Without a line end Linux takes the empty name for one, and fails to open it.
        raise ENOEXEC if newline >= 0 else EACCES
    ends = [end for end in (line.find(b" "), line.find(b"\t")) if end >= 0]
    if not ends:
        return line, None
    return line[: min(ends)], line[min(ends) :].lstrip(b" \t")
