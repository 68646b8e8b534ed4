"""Reading proc_pid_maps(5) of a stub.

The files are reached through a descriptor of /proc opened when the platform
started: the sentry may have lost its view of the file system since.
"""

import os

from runsc_py.platform.interface import HostMapping

CHUNK = 1 << 16
#: Names that the host derives from the stub's origin as a copy of the sentry.
MEANINGLESS = ("[heap]", "[stack]")


def read_process_file(proc_fd: int, tid: int, name: str) -> str:
    """The text of /proc/`tid`/`name`.  Raises OSError when the thread is gone."""
    fd = os.open(f"{tid}/{name}", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc_fd)
    try:
        chunks = []
        while chunk := os.read(fd, CHUNK):
            chunks.append(chunk)
    finally:
        os.close(fd)
    return os.fsdecode(b"".join(chunks))


def parse_mapping(line: str) -> HostMapping:
    """One line of maps."""
    fields = line.split(maxsplit=5)
    start, end = fields[0].split("-")
    major, minor = fields[3].split(":")
    path = fields[5] if len(fields) > 5 else ""
    return HostMapping(
        int(start, 16),
        int(end, 16),
        fields[1],
        int(fields[2], 16),
        os.makedev(int(major, 16), int(minor, 16)),
        int(fields[4]),
        "" if path in MEANINGLESS else path,
    )


def read_mappings(proc_fd: int, tid: int, lowest: int) -> list[HostMapping]:
    """The mappings of a thread's memory that begin at `lowest` or above."""
    lines = read_process_file(proc_fd, tid, "maps").splitlines()
    mappings = [parse_mapping(line) for line in lines]
    return [mapping for mapping in mappings if mapping.start >= lowest]


def is_hex(text: str) -> bool:
    return bool(text) and all(character in "0123456789abcdef" for character in text)


def starts_mapping(line: str) -> bool:
    """Whether a line of smaps is the first of a mapping, as in maps."""
    start, dash, _ = line.partition("-")
    return bool(dash) and is_hex(start)


def without_low_mappings(smaps: str, lowest: int) -> str:
    """smaps text with the mappings that begin below `lowest` left out."""
    kept = []
    shown = True
    for line in smaps.splitlines(keepends=True):
        if starts_mapping(line):
            shown = int(line[: line.index("-")], 16) >= lowest
        if shown:
            kept.append(line)
    return "".join(kept)
