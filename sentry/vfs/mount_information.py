"""What statmount(2) tells of a mount, and which mounts listmount(2) lists."""

from collections.abc import Callable

from runsc_py.sentry.abi.mount_flags import MS_DIRSYNC, MS_LAZYTIME, MS_RDONLY, MS_SYNCHRONOUS
from runsc_py.sentry.abi.mounts import (
    STATMOUNT,
    STATMOUNT_FS_SUBTYPE,
    STATMOUNT_FS_TYPE,
    STATMOUNT_MNT_BASIC,
    STATMOUNT_MNT_NS_ID,
    STATMOUNT_MNT_OPTS,
    STATMOUNT_MNT_POINT,
    STATMOUNT_MNT_ROOT,
    STATMOUNT_OPT_ARRAY,
    STATMOUNT_OPT_SEC_ARRAY,
    STATMOUNT_PROPAGATE_FROM,
    STATMOUNT_SB_BASIC,
    STATMOUNT_SB_SOURCE,
    STATMOUNT_SUPPORTED_MASK,
)
from runsc_py.sentry.auth.capabilities import CAP_SYS_ADMIN
from runsc_py.sentry.errors import ENOENT, EPERM
from runsc_py.sentry.vfs.attributes import split_device
from runsc_py.sentry.vfs.mount import Mount, MountNamespace
from runsc_py.sentry.vfs.mount_attributes import attributes_of_flags
from runsc_py.sentry.vfs.naming import is_reachable, path_name, root_name
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.propagation import (
    MS_PRIVATE,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
    dominating_group,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

_SHOWN_FLAGS = MS_RDONLY | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME


def find_mount(task: "Task", namespace: MountNamespace, identifier: int) -> Mount:
    """The mount with a unique id, if the caller may know of it.  Errors: ENOENT, EPERM."""
    for mount in namespace.mounts:
        if mount.unique_identifier == identifier:
            break
    else:
        raise ENOENT
    check_reachable(task, namespace, mount.root_path)
    return mount


def check_reachable(task: "Task", namespace: MountNamespace, place: Path) -> None:
    """What is not below the caller's root is its administrator's to know of.  Errors: EPERM."""
    if not is_reachable(place, _root(task, namespace)) and not task.credentials.has_capability(
        CAP_SYS_ADMIN, namespace.user_namespace
    ):
        raise EPERM


def _root(task: "Task", namespace: MountNamespace) -> Path:
    """What paths are shown from: the caller's root, or that of another namespace."""
    if namespace is task.namespaces.mount:
        return task.file_context.root
    return namespace.root.topmost().root_path


def mounts_below(task: "Task", namespace: MountNamespace, identifier: int | None) -> list[Mount]:
    """Those below a mount, or (None) below the caller's root, by their ids.

    Errors: ENOENT, EPERM.
    """
    if identifier is None:
        place, top = _root(task, namespace), None
    else:
        top = find_mount(task, namespace, identifier)
        place = top.root_path
    found = [
        mount
        for mount in namespace.mounts
        if mount is not top and is_reachable(mount.root_path, place)
    ]
    return sorted(found, key=lambda mount: mount.identifier)


class MountStatus:
    """An answer of statmount(2) that is being put together."""

    __slots__ = ("_fields", "_mask", "_strings")

    def __init__(self, task: "Task", mount: Mount, mask: int) -> None:
        self._fields = dict.fromkeys(STATMOUNT.names, 0)
        self._mask = 0
        # Offset 0 is an empty string.
        self._strings = bytearray(1)
        namespace = mount.namespace
        assert namespace is not None
        root = _root(task, namespace)
        for flag, describe in _PARTS.items():
            if mask & flag:
                describe(self, mount, root)

    def pack(self) -> tuple[bytes, bytes]:
        """The structure and the strings."""
        strings = bytes(self._strings) if len(self._strings) > 1 else b""
        fields = {**self._fields, "mask": self._mask, "size": STATMOUNT.size + len(strings)}
        return STATMOUNT.pack(*(fields[name] for name in STATMOUNT.names)), strings

    def _put_string(self, flag: int, name: str, text: bytes) -> None:
        """A string; an empty one is not there."""
        if text:
            self._fields[name] = len(self._strings)
            self._strings += text + b"\0"
            self._mask |= flag

    def _put_file_system(self, mount: Mount, root: Path) -> None:
        filesystem = mount.filesystem
        flags = filesystem.flags | (MS_RDONLY if filesystem.read_only else 0)
        major, minor = split_device(filesystem.device)
        self._fields |= {
            "sb_dev_major": major,
            "sb_dev_minor": minor,
            "sb_magic": filesystem.magic,
            "sb_flags": flags & _SHOWN_FLAGS,
        }
        self._mask |= STATMOUNT_SB_BASIC

    def _put_mount(self, mount: Mount, root: Path) -> None:
        parent = mount if mount.parent is None else mount.parent
        self._fields |= {
            "mnt_id": mount.unique_identifier,
            "mnt_parent_id": parent.unique_identifier,
            "mnt_id_old": mount.identifier,
            "mnt_parent_id_old": parent.identifier,
            "mnt_attr": attributes_of_flags(mount.flags),
            "mnt_propagation": _propagation(mount),
            "mnt_peer_group": 0 if mount.group is None else mount.group.identifier,
            "mnt_master": 0 if mount.master is None else mount.master.identifier,
        }
        self._mask |= STATMOUNT_MNT_BASIC

    def _put_propagation(self, mount: Mount, root: Path) -> None:
        self._fields["propagate_from"] = dominating_group(mount, root) or 0
        self._mask |= STATMOUNT_PROPAGATE_FROM

    def _put_root(self, mount: Mount, root: Path) -> None:
        self._put_string(STATMOUNT_MNT_ROOT, "mnt_root", root_name(mount.root))

    def _put_point(self, mount: Mount, root: Path) -> None:
        if is_reachable(mount.root_path, root):
            point = path_name(mount.root_path, root)
            self._put_string(STATMOUNT_MNT_POINT, "mnt_point", point)

    def _put_type(self, mount: Mount, root: Path) -> None:
        self._put_string(STATMOUNT_FS_TYPE, "fs_type", mount.filesystem.type_name.encode())

    def _put_namespace(self, mount: Mount, root: Path) -> None:
        assert mount.namespace is not None
        self._fields["mnt_ns_id"] = mount.namespace.inode_number
        self._mask |= STATMOUNT_MNT_NS_ID

    def _put_options(self, mount: Mount, root: Path) -> None:
        options = ",".join(mount.filesystem.options())
        self._put_string(STATMOUNT_MNT_OPTS, "mnt_opts", options.encode("utf-8", "surrogateescape"))

    def _put_source(self, mount: Mount, root: Path) -> None:
        source = mount.source.encode("utf-8", "surrogateescape")
        self._put_string(STATMOUNT_SB_SOURCE, "sb_source", source)

    def _put_option_array(self, mount: Mount, root: Path) -> None:
        options = mount.filesystem.options()
        self._fields["opt_num"] = len(options)
        array = "\0".join(options).encode("utf-8", "surrogateescape")
        self._put_string(STATMOUNT_OPT_ARRAY, "opt_array", array)

    def _put_nothing(self, mount: Mount, root: Path) -> None:
        """No file system has a subtype, or options of a security module."""

    def _put_supported(self, mount: Mount, root: Path) -> None:
        self._fields["supported_mask"] = sum(_PARTS)
        self._mask |= STATMOUNT_SUPPORTED_MASK


#: in the order in which their strings come
_PARTS: dict[int, Callable[[MountStatus, Mount, Path], None]] = {
    STATMOUNT_SB_BASIC: MountStatus._put_file_system,
    STATMOUNT_MNT_BASIC: MountStatus._put_mount,
    STATMOUNT_PROPAGATE_FROM: MountStatus._put_propagation,
    STATMOUNT_FS_TYPE: MountStatus._put_type,
    STATMOUNT_MNT_ROOT: MountStatus._put_root,
    STATMOUNT_MNT_POINT: MountStatus._put_point,
    STATMOUNT_MNT_OPTS: MountStatus._put_options,
    STATMOUNT_OPT_ARRAY: MountStatus._put_option_array,
    STATMOUNT_SB_SOURCE: MountStatus._put_source,
    STATMOUNT_MNT_NS_ID: MountStatus._put_namespace,
    STATMOUNT_FS_SUBTYPE: MountStatus._put_nothing,
    STATMOUNT_OPT_SEC_ARRAY: MountStatus._put_nothing,
    STATMOUNT_SUPPORTED_MASK: MountStatus._put_supported,
}


def _propagation(mount: Mount) -> int:
    kind = MS_SHARED if mount.group is not None else 0
    if mount.master is not None:
        kind |= MS_SLAVE
    if mount.unbindable:
        kind |= MS_UNBINDABLE
    return kind or MS_PRIVATE
