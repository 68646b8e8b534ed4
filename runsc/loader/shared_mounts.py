"""Volumes that several containers of a sandbox share, by hints of the root container's annotations.

What is shared by a pod is mounted once; every container's mount of that source shows the same file
system, so that locks, watches and mappings of one container are seen by the other.  What is memory
stays as long as the sandbox, so that a container that is started again finds it.
"""

from __future__ import annotations

from runsc_py.runsc.loader.hints import MountHint, mount_hints
from runsc_py.sentry.vfs.mount import Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runsc_py.sentry.vfs.inode import FileSystem


class SharedMounts:
    """The hints of a sandbox, and what is mounted for them."""

    __slots__ = ("_hints", "_kept")

    def __init__(self, annotations: Mapping[str, str]) -> None:
        """Raises RunscError for a hint that is none."""
        self._hints = mount_hints(annotations)
        #: mounts nobody sees: what is shared outlives the containers that have it mounted
        self._kept: dict[str, Mount] = {}

    def hint(self, source: str) -> MountHint | None:
        """What is said of a volume."""
        return self._hints.get(source)

    def find(self, source: str) -> FileSystem | None:
        """What is mounted already for all who mount this source."""
        kept = self._kept.get(source)
        return None if kept is None else kept.filesystem

    def keep(self, source: str, filesystem: FileSystem) -> None:
        """It was mounted; the next one who mounts the source gets it, if that is so wished."""
        hint = self._hints.get(source)
        if hint is not None and hint.is_mounted_once and source not in self._kept:
            self._kept[source] = Mount(0, filesystem)
