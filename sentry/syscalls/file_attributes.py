"""stat(2) and its relatives, statx(2), access(2), statfs(2).  Changes: `attribute_changes.py`."""

from runsc_py.sentry.abi.files import (
    AT_EACCESS,
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_NO_AUTOMOUNT,
    AT_STATX_SYNC_TYPE,
    AT_SYMLINK_NOFOLLOW,
    STAT,
    STATFS,
    STATX,
    STATX_ATTR_FLAGS,
    STATX_ATTR_MOUNT_ROOT,
    STATX_BASIC_STATS,
    STATX_BTIME,
    STATX_MNT_ID,
    STATX_MNT_ID_UNIQUE,
    STATX_RESERVED,
    X_OK,
)
from runsc_py.sentry.abi.mount_flags import MS_NOEXEC
from runsc_py.sentry.auth.capabilities import SECBIT_NO_SETUID_FIXUP
from runsc_py.sentry.auth.credentials import Credentials
from runsc_py.sentry.errors import EACCES, EINVAL, EROFS
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.places import place_at
from runsc_py.sentry.syscalls.table import syscall
from runsc_py.sentry.syscalls.types import (
    AccessAtFlags,
    AccessMode,
    AtFlags,
    DirectoryFd,
    Fd,
    OutStat,
    OutStatfs,
    OutStatx,
    PathAddress,
    StatxFlags,
    StatxMask,
)
from runsc_py.sentry.vfs.attributes import S_IFMT, S_IFREG, Attributes, split_device
from runsc_py.sentry.vfs.path import NAME_MAX, Path
from runsc_py.sentry.vfs.permissions import MAY_WRITE, check

_NANOSECONDS = 1_000_000_000
#: statfs(2): the flags in f_flags are valid
_ST_VALID = 0x20


# -- stat -------------------------------------------------------------------------


@syscall(4, "stat")
def stat(task: Task, path: PathAddress, buffer: OutStat) -> int:
    """stat(2)"""
    return _put_stat(task, place_at(task, AT_FDCWD, path, 0, follow=True), buffer)


@syscall(6, "lstat")
def lstat(task: Task, path: PathAddress, buffer: OutStat) -> int:
    """lstat(2)"""
    return _put_stat(task, place_at(task, AT_FDCWD, path, 0, follow=False), buffer)


@syscall(5, "fstat")
def fstat(task: Task, fd: Fd, buffer: OutStat) -> int:
    """fstat(2)"""
    return _put_stat(task, task.files.get(fd).path, buffer)


@syscall(262, "newfstatat")
def newfstatat(
    task: Task, directory: DirectoryFd, path: PathAddress, buffer: OutStat, flags: AtFlags
) -> int:
    """fstatat(2)"""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH):
        raise EINVAL
    follow = not flags & AT_SYMLINK_NOFOLLOW
    return _put_stat(task, place_at(task, directory, path, flags, follow=follow), buffer)


def _put_stat(task: Task, place: Path, address: int) -> int:
    attributes = place.inode.get_attributes()
    uid, gid = _visible_owner(task, attributes)
    task.memory.copy_out(
        address,
        STAT.pack(
            attributes.device,
            attributes.inode,
            attributes.links,
            attributes.mode,
            uid,
            gid,
            attributes.special_device,
            attributes.size,
            attributes.block_size,
            attributes.blocks,
            *divmod(attributes.access_time, _NANOSECONDS),
            *divmod(attributes.modification_time, _NANOSECONDS),
            *divmod(attributes.change_time, _NANOSECONDS),
        ),
    )
    return 0


def _visible_owner(task: Task, attributes: Attributes) -> tuple[int, int]:
    """The owner as the task's user namespace names it."""
    namespace = task.credentials.user_namespace
    if namespace.parent is None:
        return attributes.uid, attributes.gid
    return (
        namespace.uid_map.map_to_namespace(attributes.uid),
        namespace.gid_map.map_to_namespace(attributes.gid),
    )


@syscall(332, "statx")
def statx(
    task: Task,
    directory: DirectoryFd,
    path: PathAddress,
    flags: StatxFlags,
    mask: StatxMask,
    buffer: OutStatx,
) -> int:
    """statx(2): everything there is is given, asked for or not."""
    known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE
    if mask & STATX_RESERVED or flags & ~known:
        raise EINVAL
    if flags & AT_STATX_SYNC_TYPE == AT_STATX_SYNC_TYPE:
        raise EINVAL
    place = place_at(task, directory, path, flags, follow=not flags & AT_SYMLINK_NOFOLLOW)
    attributes = place.inode.get_attributes()
    uid, gid = _visible_owner(task, attributes)
    mount = place.mount
    is_unique = bool(mask & STATX_MNT_ID_UNIQUE)
    given = STATX_BASIC_STATS | (STATX_MNT_ID_UNIQUE if is_unique else STATX_MNT_ID)
    if attributes.birth_time:
        given |= STATX_BTIME
    is_mount_root = place.dentry is mount.root
    task.memory.copy_out(
        buffer,
        STATX.pack(
            given,
            attributes.block_size,
            (STATX_ATTR_MOUNT_ROOT if is_mount_root else 0) | place.inode.flags & STATX_ATTR_FLAGS,
            attributes.links,
            uid,
            gid,
            attributes.mode,
            attributes.inode,
            attributes.size,
            attributes.blocks,
            STATX_ATTR_MOUNT_ROOT | (STATX_ATTR_FLAGS if place.inode.filesystem.has_flags else 0),
            *divmod(attributes.access_time, _NANOSECONDS),
            *divmod(attributes.birth_time, _NANOSECONDS),
            *divmod(attributes.change_time, _NANOSECONDS),
            *divmod(attributes.modification_time, _NANOSECONDS),
            *split_device(attributes.special_device),
            *split_device(attributes.device),
            mount.unique_identifier if is_unique else mount.identifier,
        ),
    )
    return 0


# -- access ------------------------------------------------------------------------


@syscall(21, "access")
def access(task: Task, path: PathAddress, mode: AccessMode) -> int:
    """access(2)"""
    return _access(task, AT_FDCWD, path, mode, 0)


@syscall(269, "faccessat")
def faccessat(task: Task, directory: DirectoryFd, path: PathAddress, mode: AccessMode) -> int:
    """faccessat(2) as the kernel has it: without flags."""
    return _access(task, directory, path, mode, 0)


@syscall(439, "faccessat2")
def faccessat2(
    task: Task, directory: DirectoryFd, path: PathAddress, mode: AccessMode, flags: AccessAtFlags
) -> int:
    """faccessat2(2)"""
    if flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise EINVAL
    return _access(task, directory, path, mode, flags)


def _access(task: Task, directory: int, address: int, mode: int, flags: int) -> int:
    if mode & ~7:
        raise EINVAL
    credentials = task.credentials
    try:
        if not flags & AT_EACCESS:
            # The walk, too, is made with the real ids.
            task.credentials = _with_real_ids(credentials)
        follow = not flags & AT_SYMLINK_NOFOLLOW
        place = place_at(task, directory, address, flags, follow=follow)
        inode = place.inode
        if mode & X_OK and place.mount.flags & MS_NOEXEC and inode.mode & S_IFMT == S_IFREG:
            raise EACCES
        if mode:
            check(task.credentials, inode, mode)
    finally:
        task.credentials = credentials
    if mode & MAY_WRITE and place.mount.read_only and not inode.is_special:
        raise EROFS
    return 0


def _with_real_ids(credentials: Credentials) -> Credentials:
    """What access(2) checks with: the real ids, and a superuser's capabilities only for root."""
    effective = credentials.effective
    if not credentials.securebits & SECBIT_NO_SETUID_FIXUP:
        root = credentials.user_namespace.uid_map.to_global(0)
        effective = credentials.permitted if credentials.uid == root else 0
    if (
        credentials.fsuid == credentials.uid
        and credentials.fsgid == credentials.gid
        and effective == credentials.effective
    ):
        return credentials
    return credentials.replace(fsuid=credentials.uid, fsgid=credentials.gid, effective=effective)


# -- statfs ------------------------------------------------------------------------


@syscall(137, "statfs")
def statfs(task: Task, path: PathAddress, buffer: OutStatfs) -> int:
    """statfs(2)"""
    return _put_statfs(task, place_at(task, AT_FDCWD, path, 0, follow=True), buffer)


@syscall(138, "fstatfs")
def fstatfs(task: Task, fd: Fd, buffer: OutStatfs) -> int:
    """fstatfs(2)"""
    return _put_statfs(task, task.files.get(fd).path, buffer)


def _put_statfs(task: Task, place: Path, address: int) -> int:
    filesystem = place.inode.filesystem
    block_size, blocks, free, available, files, free_files = filesystem.statfs()
    task.memory.copy_out(
        address,
        STATFS.pack(
            filesystem.magic_of(place.inode),
            block_size,
            blocks,
            free,
            available,
            files,
            free_files,
            filesystem.device,
            NAME_MAX,
            block_size,
            place.mount.statfs_flags | _ST_VALID,
        ),
    )
    return 0
