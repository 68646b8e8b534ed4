"""What a run is to be like: one typed object, whoever asks for it; and how its values are written.

The `parse_*` functions raise RunscError with the option's name and an example of a right value.
"""

from __future__ import annotations

import os

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from runsc_py.runsc.bubblewrap.operations import Setup

SIZE_SUFFIXES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
TIME_SUFFIXES = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
#: no limit is larger: a century of seconds, and what fits into a signed 64-bit number of bytes
LONGEST_TIME = 100 * 365 * 86400
LARGEST_SIZE = (1 << 63) - 1
#: HOST_NAME_MAX of <limits.h>
HOST_NAME_LIMIT = 64

if TYPE_CHECKING:
    Placement: TypeAlias = Literal["auto", "together", "spread"]


class Volume:
    """A host directory or file shown in the sandbox.

    `shared` says that the host may change it meanwhile, so that the sandbox asks again and again.
    """

    __slots__ = ("destination", "read_only", "shared", "source")

    def __init__(self, source: str, destination: str, read_only: bool, shared: bool) -> None:
        self.source = source
        self.destination = destination
        self.read_only = read_only
        self.shared = shared


class TmpfsMount:
    """An empty memory file system at a place; `size` in bytes, None for half of the memory."""

    __slots__ = ("destination", "size")

    def __init__(self, destination: str, size: int | None) -> None:
        self.destination = destination
        self.size = size


class RunOptions:
    """Options of `runsc-py run`.  Times are seconds, sizes bytes; None means no limit."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.rootfs = "/"
        #: whether what is written to the root stays in memory; without it the host's files change
        self.has_overlay = True
        #: (id inside, host id, count) of owners of host files; None: as is best for who runs us
        self.uids: list[tuple[int, int, int]] | None = None
        self.gids: list[tuple[int, int, int]] | None = None
        #: whether `rootfs` is an image's, where an ordinary user's files are those of root
        self.is_image = False
        #: by inode number what a file of `rootfs` is shown with instead of its own mode and owner
        self.owners: dict[int, tuple[int, int, int]] | None = None
        #: what `--image` names; `rootfs` is set when it is prepared
        self.image: str | None = None
        #: takes the place of the image's own; empty: none
        self.entrypoint: str | None = None
        #: bubblewrap's way to fill the root; None: the host's, or `rootfs`
        self.setup: Setup | None = None
        #: whether the run ends when the process does that started us
        self.ends_with_parent = False
        self.volumes: list[Volume] = []
        self.tmpfs: list[TmpfsMount] = []
        self.environment: dict[str, str] = dict(os.environ)
        #: of the environment what was asked for by name
        self.assignments: dict[str, str] = {}
        #: whether HOME was asked for by name, so that the user's home does not replace it
        self.keeps_home = False
        self.working_directory: str | None = None
        self.user: str | None = None
        self.host_name: str | None = None
        self.wall: float | None = None
        self.cpu: float | None = None
        self.memory: int | None = None
        self.pids: int | None = None
        self.files: int | None = None
        self.network = "none"
        #: None: off; "": standard error
        self.strace: str | None = None
        #: where that goes, opened while paths of the host could be
        self.strace_descriptor = -1
        #: where the list of what was changed goes, and the changes themselves
        self.diff: str | None = None
        self.export: str | None = None
        #: whether memory is to be measured even if it is not limited
        self.measures_memory = False
        self.placement: Placement = "auto"
        #: descriptors for the program's 0, 1 and 2, which take them over; -1: closed
        self.standard_files = (0, 1, 2)


def parse_size(option: str, text: str) -> int:
    """`256M`, `1g`, `1.5GiB`, `4096`: bytes, in powers of 1024."""
    value = text.strip().lower().removesuffix("b").removesuffix("i")
    suffix = value[-1:] if value[-1:] in SIZE_SUFFIXES else ""
    number = _positive(value.removesuffix(suffix), SIZE_SUFFIXES[suffix], LARGEST_SIZE)
    if number is None or number < 1:
        raise RunscError(f"{option} {text!r}: use a size, for example 64M or 2G")
    return int(number)


def parse_duration(option: str, text: str) -> float:
    """`10`, `0.5`, `500ms`, `2m`, `1h`: seconds."""
    value = text.strip().lower()
    suffix = next((name for name in TIME_SUFFIXES if value.endswith(name)), "")
    factor = TIME_SUFFIXES[suffix] if suffix else 1
    number = _positive(value.removesuffix(suffix), factor, LONGEST_TIME)
    if number is None:
        raise RunscError(f"{option} {text!r}: use seconds, or for example 500ms, 2m, 1h")
    return number


def _positive(text: str, factor: float, most: float) -> float | None:
    """A decimal number times `factor`, above 0 and up to `most`."""
    if not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    number = float(text) * factor
    return number if 0 < number <= most else None


def parse_count(option: str, text: str) -> int:
    """A whole number of at least 1."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 31):
        raise RunscError(f"{option} {text!r}: use a whole number of at least 1")
    return int(text)


#: what may follow the second colon, by commas: one of each
_ACCESS = {"ro", "rw"}
_CACHING = {"shared", "exclusive"}


def parse_volume(text: str) -> Volume:
    """`SRC:DST[:ro|rw][,exclusive]`, as docker has it but read-only unless told otherwise."""
    parts = text.split(":")
    words = set(parts.pop().split(",")) if len(parts) > 2 else set()
    wrong = words - _ACCESS - _CACHING or words >= _ACCESS or words >= _CACHING
    if len(parts) != 2 or not all(parts) or wrong:
        raise RunscError(
            f"--volume {text!r}: use SRC:DST, SRC:DST:ro or SRC:DST:rw, and then ,exclusive "
            "when nobody else changes the files"
        )
    source = os.path.abspath(os.path.expanduser(parts[0]))
    try:
        os.stat(source)
    except OSError as error:
        raise RunscError(f"--volume {text!r}: {source}: {error.strerror}") from None
    return Volume(
        source,
        parse_destination("--volume", text, parts[1]),
        read_only="rw" not in words,
        shared="exclusive" not in words,
    )


def parse_tmpfs(text: str) -> TmpfsMount:
    """`DST[:SIZE]`."""
    destination, colon, size = text.partition(":")
    return TmpfsMount(
        parse_destination("--tmpfs", text, destination),
        parse_size("--tmpfs", size) if colon else None,
    )


def parse_destination(option: str, text: str, destination: str) -> str:
    """Where something is mounted in the sandbox: an absolute path below `/`, without `..`."""
    path = os.path.normpath(destination)
    if not path.startswith("/"):
        raise RunscError(f"{option} {text!r}: {destination!r} must be an absolute path")
    if path in ("/", "//"):
        raise RunscError(f"{option} {text!r}: nothing can be mounted over /; see --rootfs")
    return path


def parse_host_name(text: str) -> str:
    """What sethostname(2) takes, without the characters that break prompts and files."""
    if not 0 < len(os.fsencode(text)) <= HOST_NAME_LIMIT or not text.isprintable() or " " in text:
        raise RunscError(f"--hostname {text!r}: use 1 to {HOST_NAME_LIMIT} characters, no blanks")
    return text
