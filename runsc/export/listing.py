"""Lists of changes: lines as those of docker(1) diff, and JSON.

An entry's kind travels in pax's `comment`, which other readers of an archive ignore.
"""

import os

from runsc_py.runsc.archive.member import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    HARD_LINK,
    REGULAR,
    SYMLINK,
    TYPE_NAMES,
    Member,
)
from runsc_py.runsc.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ADDED, CHANGED, DELETED = "A", "C", "D"
VERSION = 1

_COMMENT = b"runsc-py:"
_WHITEOUT = b".wh."


def comment_of(kind: str) -> bytes:
    """What an entry's comment says of its kind."""
    return _COMMENT + kind.encode()


def kind_of(member: Member) -> str:
    """The kind of an entry; one that does not say so was changed, or is a whiteout."""
    kind = member.comment.removeprefix(_COMMENT).decode(errors="replace")
    if kind in (ADDED, CHANGED, DELETED):
        return kind
    return DELETED if _name(member).startswith(_WHITEOUT) else CHANGED


def path_of(member: Member) -> bytes:
    """The path that changed; of a whiteout the one that it hides."""
    parts = member.components()
    if parts and kind_of(member) == DELETED:
        parts[-1] = parts[-1].removeprefix(_WHITEOUT)
    return b"/" + b"/".join(parts)


def _name(member: Member) -> bytes:
    return member.name.rstrip(b"/").rpartition(b"/")[2]


def describe(member: Member) -> "dict[str, Any]":
    """An entry for JSON.  Bytes that are no UTF-8 are lone surrogates, as Python has them."""
    kind = kind_of(member)
    entry: dict[str, Any] = {"kind": kind, "path": os.fsdecode(path_of(member))}
    if kind == DELETED:
        return entry
    entry |= {
        "type": TYPE_NAMES[member.type],
        "mode": f"{member.mode:04o}",
        "uid": member.uid,
        "gid": member.gid,
        "mtime_ns": member.mtime,
    }
    if member.type == REGULAR:
        entry["size"] = member.size
    elif member.type in (SYMLINK, HARD_LINK):
        # A hard link's is the path of the other entry.
        target = member.link if member.type == SYMLINK else b"/" + member.link
        entry["target"] = os.fsdecode(target)
    elif member.type in (CHARACTER_DEVICE, BLOCK_DEVICE):
        entry["device"] = list(member.device)
    if member.xattrs:
        entry["xattrs"] = sorted(os.fsdecode(name) for name in member.xattrs)
    return entry


def line(kind: str, path: str) -> str:
    """A change for a person; names may hold anything."""
    return f"{kind} {printable(path)}\n"
