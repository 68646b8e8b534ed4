"""What annotations say of mounts and of the root directory, in gVisor's words.

`dev.gvisor.spec.mount.NAME.{source,type,share,options,directfs}`, of the root container, tell how
a volume is used in the pod: by one container, by several, or by somebody outside too.  Nobody else
changes what is not `shared`, so that names and attributes are kept; a `tmpfs` is memory, whatever
the engine has put at its source (Kubernetes' emptyDir).  `dev.gvisor.spec.rootfs.{source,type,
overlay,options,directfs}`, of each container, are about its root directory.

Whoever writes a pod's annotations need not be allowed to choose directories of the host, so a
source of the root needs --allow-flag-override.
"""

from __future__ import annotations

import os

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.loader.mount_options import parse_mount_options
from runsc_py.runsc.overlay import MEMORY, NONE, ROOT, SELF, Overlay
from runsc_py.sentry.abi.mount_flags import MS_NOATIME, MS_NOEXEC, MS_NOSUID, MS_RDONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.spec import Spec

MOUNT_PREFIX = "dev.gvisor.spec.mount."
ROOT_PREFIX = "dev.gvisor.spec.rootfs."
CONTAINER, POD, SHARED = "container", "pod", "shared"
TMPFS, BIND = "tmpfs", "bind"
#: "off" is what there is: only the gofer opens files of the host
DIRECTFS = ("default", "off")
#: what a container may add to its view of a volume, and not take away
_STRICTNESS = (
    (MS_RDONLY, "read-write", "read-only"),
    (MS_NOEXEC, "exec enabled", "noexec"),
    (MS_NOATIME, "atime enabled", "noatime"),
    (MS_NOSUID, "suid enabled", "nosuid"),
)


class MountHint:
    """What is said of one volume."""

    __slots__ = ("flags", "kind", "name", "options", "share", "source")

    def __init__(self, name: str, fields: Mapping[str, str]) -> None:
        """Raises RunscError."""
        self.name = name
        for field, value in fields.items():
            if value not in _VALUES.get(field, (value,)) or field not in _FIELDS or not value:
                raise RunscError(f"invalid mount annotation: {MOUNT_PREFIX}{name}.{field}={value}")
        if not fields.keys() >= {"source", "type", "share"}:
            raise RunscError(
                f"incomplete annotation for mount {name!r}: source, type and share needed"
            )
        self.source, self.kind, self.share = fields["source"], fields["type"], fields["share"]
        options = fields.get("options", "")
        #: MS_* flags, and the options that only a tmpfs has
        self.flags, self.options = parse_mount_options(options.split(",") if options else [])

    @property
    def is_memory(self) -> bool:
        """Whether the volume is a tmpfs, which lives as long as the sandbox."""
        return self.kind == TMPFS and self.share != SHARED

    @property
    def is_mounted_once(self) -> bool:
        """Whether all mounts of it show one file system."""
        return self.share == POD or self.is_memory

    @property
    def size(self) -> str:
        """Of a tmpfs, as an upper layer has it; empty for the default."""
        sizes = [one.removeprefix("size=") for one in self.options if one.startswith("size=")]
        return sizes[-1] if sizes else ""

    def check(self, destination: str, flags: int) -> None:
        """Whether a container may mount it with these flags.  Raises RunscError."""
        for flag, looser, strict in _STRICTNESS:
            if self.flags & flag and not flags & flag:
                text = f"cannot mount {looser} shared mount at {destination}"
                raise RunscError(f"{text}: {self.name!r} is {strict}")


_FIELDS = ("source", "type", "share", "options", "directfs")
_VALUES = {"type": (TMPFS, BIND), "share": (CONTAINER, POD, SHARED), "directfs": DIRECTFS}


def mount_hints(annotations: Mapping[str, str]) -> dict[str, MountHint]:
    """By source.  Raises RunscError for what is no hint, and for two of one source."""
    fields: dict[str, dict[str, str]] = {}
    for key, value in annotations.items():
        if key.startswith(MOUNT_PREFIX):
            name, _, field = key.removeprefix(MOUNT_PREFIX).partition(".")
            if not name or not field:
                raise RunscError(f"invalid mount annotation: {key}={value}")
            fields.setdefault(name, {})[field] = value
    hints: dict[str, MountHint] = {}
    for name, values in fields.items():
        hint = MountHint(name, values)
        if hint.source in hints:
            other = hints[hint.source].name
            raise RunscError(f"mounts {other!r} and {name!r} have the same source {hint.source!r}")
        hints[hint.source] = hint
    return hints


class RootHint:
    """What is said of a container's root directory; empty where nothing is."""

    __slots__ = ("medium", "size", "source")

    def __init__(self, annotations: Mapping[str, str]) -> None:
        """Raises RunscError."""
        self.source = self.medium = self.size = ""
        for key, value in annotations.items():
            if key.startswith(ROOT_PREFIX):
                self._set(key, key.removeprefix(ROOT_PREFIX), value)

    def _set(self, key: str, field: str, value: str) -> None:
        if field == "source" and os.path.isabs(value):
            self.source = value
        elif field == "overlay" and value in (NONE, MEMORY, SELF):
            self.medium = value
        elif field == "options" and value.startswith("size="):
            self.size = value.removeprefix("size=")
            Overlay.parse(f"root:memory,size={self.size}")
        elif (field, value) != ("type", BIND) and (field != "directfs" or value not in DIRECTFS):
            raise RunscError(f"invalid rootfs annotation: {key}={value}")

    def overlay(self, config: Config) -> Overlay:
        """The layer above the root directory, as the options and the hint have it."""
        asked = config.overlay
        medium = self.medium or asked.medium
        if medium == NONE:
            return Overlay(NONE, NONE)
        directory = asked.directory if medium == asked.medium else ""
        return Overlay(ROOT, medium, directory, self.size or asked.size)


def apply_root_hint(spec: Spec, config: Config) -> None:
    """Another root directory, when the annotations name one.  Raises RunscError."""
    hint = RootHint(spec.annotations)
    if hint.medium not in ("", NONE) and config.file_access == SHARED:
        raise RunscError(
            "--file-access=shared: the root directory below an overlay must not change; "
            f"leave out {ROOT_PREFIX}overlay"
        )
    if hint.source and spec.root is not None:
        if not config.allow_flag_override:
            raise RunscError(
                f"annotation {ROOT_PREFIX}source: flag override disabled, "
                "use --allow-flag-override to enable it"
            )
        spec.root.path = hint.source
