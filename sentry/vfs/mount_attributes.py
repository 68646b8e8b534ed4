"""mount_setattr(2): MOUNT_ATTR_* instead of MS_*, for one mount or a tree of them."""

from runsc_py.sentry.abi.mount_flags import (
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_RELATIME,
)
from runsc_py.sentry.errors import EBUSY, EINVAL
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.mounting import check_locked_flags, is_written
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.propagation import PROPAGATION_TYPES, change_propagation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4
MOUNT_ATTR_NOEXEC = 0x8
#: not bits, but one of three values; RELATIME is 0
MOUNT_ATTR__ATIME = 0x70
MOUNT_ATTR_NOATIME = 0x10
MOUNT_ATTR_STRICTATIME = 0x20
MOUNT_ATTR_NODIRATIME = 0x80
MOUNT_ATTR_IDMAP = 0x100000
MOUNT_ATTR_NOSYMFOLLOW = 0x200000

_BITS = (
    (MOUNT_ATTR_RDONLY, MS_RDONLY),
    (MOUNT_ATTR_NOSUID, MS_NOSUID),
    (MOUNT_ATTR_NODEV, MS_NODEV),
    (MOUNT_ATTR_NOEXEC, MS_NOEXEC),
    (MOUNT_ATTR_NODIRATIME, MS_NODIRATIME),
    (MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW),
)
_ACCESS_TIMES = {0: MS_RELATIME, MOUNT_ATTR_NOATIME: MS_NOATIME, MOUNT_ATTR_STRICTATIME: 0}
_OF_NEW_MOUNTS = sum(attribute for attribute, _ in _BITS) | MOUNT_ATTR__ATIME
_KNOWN = _OF_NEW_MOUNTS | MOUNT_ATTR_IDMAP


def flags_of_attributes(attributes: int) -> int:
    """The MS_* flags of a new mount (fsmount(2)).  Errors: EINVAL."""
    if attributes & ~_OF_NEW_MOUNTS:
        raise EINVAL
    return _plain_flags(attributes) | _access_time(attributes)


def attributes_of_flags(flags: int) -> int:
    """The MOUNT_ATTR_* of a mount's MS_* flags."""
    attributes = sum(attribute for attribute, flag in _BITS if flags & flag)
    if flags & MS_NOATIME:
        return attributes | MOUNT_ATTR_NOATIME
    return attributes if flags & MS_RELATIME else attributes | MOUNT_ATTR_STRICTATIME


def _plain_flags(attributes: int) -> int:
    return sum(flag for attribute, flag in _BITS if attributes & attribute)


def _access_time(attributes: int) -> int:
    """The flag about access times.  Errors: EINVAL (two of them)."""
    flags = _ACCESS_TIMES.get(attributes & MOUNT_ATTR__ATIME)
    if flags is None:
        raise EINVAL
    return flags


class AttributeChange:
    """A checked `struct mount_attr`."""

    __slots__ = ("_clears", "_sets", "is_mapped", "propagation")

    def __init__(self, sets: int, clears: int, propagation: int) -> None:
        """Errors: EINVAL."""
        if propagation and propagation not in PROPAGATION_TYPES:
            raise EINVAL
        if (sets | clears) & ~_KNOWN:
            raise EINVAL
        self._sets = _plain_flags(sets)
        self._clears = _plain_flags(clears)
        if clears & MOUNT_ATTR__ATIME:
            if clears & MOUNT_ATTR__ATIME != MOUNT_ATTR__ATIME:
                raise EINVAL
            self._clears |= MS_NOATIME | MS_RELATIME
            self._sets |= _access_time(sets)
        elif sets & MOUNT_ATTR__ATIME:
            raise EINVAL
        self.propagation = propagation
        self.is_mapped = bool(sets & MOUNT_ATTR_IDMAP)

    def apply_to(self, flags: int) -> int:
        """What becomes of a mount's flags."""
        return flags & ~self._clears | self._sets


def set_mount_attributes(
    task: "Task", place: Path, change: AttributeChange, *, recursive: bool
) -> None:
    """All of it, or none.  Errors: EINVAL, EPERM (locked flags), EBUSY (is written)."""
    mount = place.mount
    if place.dentry is not mount.root:
        raise EINVAL
    namespace = mount.namespace
    ours = task.namespaces.mount
    if namespace is None or (namespace is not ours and not namespace.anonymous):
        raise EINVAL
    mounts = list(mount.subtree()) if recursive else [mount]
    for member in mounts:
        _check(task, member, change)
    for member in mounts:
        member.flags = change.apply_to(member.flags)
        if change.propagation:
            change_propagation(member, change.propagation, namespace.numbers)


def _check(task: "Task", mount: Mount, change: AttributeChange) -> None:
    flags = change.apply_to(mount.flags)
    check_locked_flags(mount, flags)
    if change.is_mapped:
        raise EINVAL  # none of our file systems allows it
    if flags & MS_RDONLY and not mount.flags & MS_RDONLY and is_written(task, mount):
        raise EBUSY
