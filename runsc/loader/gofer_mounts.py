"""What of a container the gofer serves, and how it is layered: gVisor's GoferMountConf.

The first entry is the root directory, the others are the bind mounts of the specification in their
order.  A `lower` layer of the gofer has the next index of the gofer's connection, and an upper one
in a filestore the one behind that.
"""

from __future__ import annotations

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.loader.hints import RootHint, mount_hints
from runsc_py.runsc.loader.mount_options import parse_mount_options
from runsc_py.runsc.overlay import ALL, MEMORY, NONE, SELF, Overlay
from runsc_py.sentry.abi.mount_flags import MS_RDONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runsc_py.gofer.process import MountSpec
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.spec import Spec

LISAFS = "lisafs"
EROFS = "erofs"
ANONYMOUS = "anon"

_LOWERS = (NONE, LISAFS, EROFS)
_UPPERS = (NONE, MEMORY, SELF, ANONYMOUS)


class GoferMountConfiguration:
    """The layers of one mount."""

    __slots__ = ("lower", "size", "upper")

    def __init__(self, lower: str, upper: str, size: str = "") -> None:
        """Raises RunscError."""
        if lower not in _LOWERS or upper not in _UPPERS or (lower, upper) == (NONE, NONE):
            raise RunscError(f"invalid gofer mount configuration {lower}:{upper}")
        self.lower = lower
        self.upper = upper
        #: of the upper layer, as tmpfs(5) writes it
        self.size = size

    @classmethod
    def parse(cls, text: str) -> GoferMountConfiguration:
        """`lower:upper[:size=S]`.  Raises RunscError."""
        lower, colon, rest = text.partition(":")
        upper, has_size, size = rest.partition(":")
        if not colon or (has_size and not size.startswith("size=")):
            raise RunscError(f"invalid gofer mount configuration {text!r}")
        return cls(lower, upper, size.removeprefix("size="))

    def __str__(self) -> str:
        return f"{self.lower}:{self.upper}" + (f":size={self.size}" if self.size else "")

    @property
    def uses_gofer(self) -> bool:
        """Whether the gofer serves its lower layer."""
        return self.lower == LISAFS

    @property
    def is_overlay(self) -> bool:
        """Whether an upper layer takes the writes."""
        return self.lower != NONE and self.upper != NONE

    @property
    def has_filestore(self) -> bool:
        """Whether its upper layer is kept in files that the gofer makes."""
        return self.upper in (SELF, ANONYMOUS)

    @property
    def served_mounts(self) -> int:
        """How many mounts of the gofer it has."""
        return self.uses_gofer + self.has_filestore


def plan_gofer_mounts(
    spec: Spec, config: Config, annotations: Mapping[str, str] | None = None
) -> tuple[list[MountSpec], list[GoferMountConfiguration]]:
    """What a gofer for this container serves, and how each mount is layered.

    Behind a mount with a filestore comes the store, which the gofer fills with unnamed files.
    `annotations`: of the sandbox's root container, None when this is it.
    """
    assert spec.root is not None
    hints = mount_hints(spec.annotations if annotations is None else annotations)
    root_overlay, overlay = RootHint(spec.annotations).overlay(config), config.overlay
    layers = _layers_of(root_overlay if root_overlay.mounts != NONE else None)
    if spec.root.readonly:
        # Only mount points are made there.
        layers = GoferMountConfiguration(LISAFS, MEMORY)
    planned = [(spec.root.path, layers.is_overlay, layers)]
    for mount in spec.mounts:
        if not mount.is_bind:
            continue
        hint = hints.get(mount.source)
        read_only = bool(parse_mount_options(mount.options)[0] & MS_RDONLY)
        if hint is not None and hint.is_memory:
            planned.append(
                (mount.source, read_only, GoferMountConfiguration(NONE, MEMORY, hint.size))
            )
            continue
        layers = _layers_of(overlay if overlay.mounts == ALL and not read_only else None)
        planned.append((mount.source, read_only or layers.is_overlay, layers))
    return _served(planned, config), [layers for _, _, layers in planned]


def _layers_of(overlay: Overlay | None) -> GoferMountConfiguration:
    if overlay is None:
        return GoferMountConfiguration(LISAFS, NONE)
    upper = ANONYMOUS if overlay.directory else overlay.medium
    return GoferMountConfiguration(LISAFS, upper, overlay.size)


def _served(
    planned: list[tuple[str, bool, GoferMountConfiguration]], config: Config
) -> list[MountSpec]:
    from runsc_py.gofer.process import MountSpec

    directory = config.overlay.directory
    connect, bind = config.host_uds in ("open", "all"), config.host_uds in ("create", "all")
    mounts = []
    for source, read_only, layers in planned:
        if layers.uses_gofer:
            mounts.append(MountSpec(source, read_only, connect, allow_bind=bind))
        if layers.has_filestore:
            mounts.append(MountSpec(source if layers.upper == SELF else directory, is_store=True))
    return mounts
