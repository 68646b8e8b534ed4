"""What of a container the gofer serves, and how it is layered: gVisor's GoferMountConf.

The first entry is the root directory, the others are the bind mounts of the specification in their
order.  A `lower` layer of the gofer has the next index of the gofer's connection.
"""

from __future__ import annotations

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.loader.mount_options import parse_mount_options
from runsc_py.sentry.vfs.mount import MS_RDONLY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.gofer.process import MountSpec
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.spec import Spec

NONE = "none"
LISAFS = "lisafs"
EROFS = "erofs"
MEMORY = "memory"
SELF = "self"
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
        """Whether its upper layer is in a file that the starter donates."""
        return self.upper in (SELF, ANONYMOUS)


def plan_gofer_mounts(
    spec: Spec, config: Config
) -> tuple[list[MountSpec], list[GoferMountConfiguration]]:
    """What a gofer for this container serves, and how each mount is layered."""
    from runsc_py.gofer.process import MountSpec

    assert spec.root is not None
    root_overlay = config.overlay2 != NONE or spec.root.readonly
    all_overlay = config.overlay2.startswith("all:")
    mounts = [MountSpec(spec.root.path, read_only=root_overlay)]
    layers = [GoferMountConfiguration(LISAFS, MEMORY if root_overlay else NONE)]
    for mount in spec.mounts:
        if not mount.is_bind:
            continue
        read_only = bool(parse_mount_options(mount.options)[0] & MS_RDONLY)
        overlay = all_overlay and not read_only
        mounts.append(MountSpec(mount.source, read_only=read_only or overlay))
        layers.append(GoferMountConfiguration(LISAFS, MEMORY if overlay else NONE))
    return mounts, layers
