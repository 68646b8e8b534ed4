"""Volumes that several containers of a sandbox share, by hints in the root container's annotations.

`dev.gvisor.spec.mount.NAME.source`, `.type` (tmpfs or bind) and `.share` (container, pod, shared).
What is shared by a pod is mounted once; every container's mount of that source shows the same file
system, so that locks, watches and mappings of one container are seen by the other.
"""

from __future__ import annotations

from runsc_py.runsc.errors import RunscError
from runsc_py.sentry.vfs.mount import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runsc_py.sentry.vfs.inode import FileSystem

PREFIX = "dev.gvisor.spec.mount."
SHARES = ("container", "pod", "shared")
TYPES = ("tmpfs", "bind")


class SharedMount:
    """One hint, and what is mounted for it once it was mounted."""

    __slots__ = ("_kept", "kind", "name", "options", "share", "source")

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = ""
        self.kind = ""
        self.share = ""
        self.options = ""
        #: a mount nobody sees: what is shared outlives the containers that have it mounted
        self._kept: Mount | None = None

    @property
    def filesystem(self) -> FileSystem | None:
        """What is mounted for it; None before the first time."""
        return None if self._kept is None else self._kept.filesystem

    def keep(self, filesystem: FileSystem) -> None:
        """It was mounted."""
        if self._kept is None:
            self._kept = Mount(0, filesystem)


class SharedMounts:
    """The hints of a sandbox."""

    __slots__ = ("_mounts",)

    def __init__(self, annotations: Mapping[str, str]) -> None:
        """Raises RunscError for a hint that is none."""
        hints: dict[str, SharedMount] = {}
        for key, value in annotations.items():
            if not key.startswith(PREFIX):
                continue
            name, dot, field = key.removeprefix(PREFIX).rpartition(".")
            if not dot or not name:
                raise RunscError(f"invalid mount annotation: {key}={value}")
            _set(hints.setdefault(name, SharedMount(name)), field, key, value)
        for hint in hints.values():
            if not hint.source or not hint.kind or not hint.share:
                raise RunscError(
                    f"incomplete annotation for mount {hint.name!r}: source, type and share needed"
                )
        self._mounts = {hint.source: hint for hint in hints.values()}

    def find(self, source: str) -> SharedMount | None:
        """What is shared under this source; None when each container has its own."""
        hint = self._mounts.get(source)
        return hint if hint is not None and hint.share == "pod" else None


def _set(hint: SharedMount, field: str, key: str, value: str) -> None:
    if field == "source" and value:
        hint.source = value
    elif field == "type" and value in TYPES:
        hint.kind = value
    elif field == "share" and value in SHARES:
        hint.share = value
    elif field == "options":
        hint.options = value
    else:
        raise RunscError(f"invalid mount annotation: {key}={value}")
