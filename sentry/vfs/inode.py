"""The contract between the VFS and a file system: `FileSystem` and `Inode`.

The VFS (path walk, permission checks, mounts, dentries) calls these; every file system under
`sentry/fs/` implements them.  The VFS has checked search and write permission, the sticky
bit, read-only mounts and name lengths before it calls; an implementation checks what only it
can know and raises the error of the man page.  All methods are synchronous.

Default methods answer as Linux does for a file type that lacks the operation.
"""

from weakref import WeakKeyDictionary

from runsc_py.sentry.errors import (
    ECONNREFUSED,
    EINVAL,
    ELOOP,
    ENOTDIR,
    ENOTTY,
    EOPNOTSUPP,
    EPERM,
)
from runsc_py.sentry.vfs.attributes import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFSOCK,
    AttributeChange,
    Attributes,
)
from runsc_py.sentry.vfs.dentry_cache import DentryCache
from runsc_py.sentry.vfs.path import Dentry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.acl import AccessControlList
    from runsc_py.sentry.vfs.notification import Watches
    from runsc_py.sentry.vfs.open_file import OpenFile
    from runsc_py.sentry.vfs.path import Path

_SPECIAL_KINDS = (S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK)


class FileSystem:
    """A mounted file system's instance (Linux's super block)."""

    #: name in /proc/filesystems and mountinfo
    type_name = "none"
    #: statfs f_type
    magic = 0
    #: nobody can write: it shows what is read-only below
    read_only = False
    #: what may be covered in it must stay covered: proc and sysfs (vfs/revealing.py)
    shows_system = False
    #: device nodes cannot be opened: mounted by the administrator of a user namespace
    denies_devices = False
    #: access control lists may be there (Linux's SB_POSIXACL): creation takes the umask away itself
    keeps_acls = False
    #: regular files and directories may be immutable, append-only (vfs/file_flags.py)
    has_flags = False
    #: whether a cached dentry must be asked about again before use (proc, shared gofer mounts)
    needs_revalidation = False
    #: the user namespace it was mounted in, which its ids belong to; None for the initial one
    user_namespace: "UserNamespace | None" = None

    def __init__(self, kernel: "Kernel") -> None:
        self.kernel = kernel
        #: dev_t that stat(2) shows
        self.device = kernel.new_anonymous_device()
        #: what mountinfo shows as the mount source
        self.source = self.type_name
        #: MS_* flags of the whole file system (Linux's super block flags), from mount(2)
        self.flags = 0
        #: how many `Mount` objects show it
        self.mounts = 0
        self.root: Inode
        #: what the VFS remembers of its names; only the VFS uses it
        self.dentries = DentryCache(kernel.file_settings.dentry_limit)
        self._root_dentry: Dentry | None = None
        #: fcntl(2) with F_SET_RW_HINT
        self.write_hints: WeakKeyDictionary[Inode, int] = WeakKeyDictionary()
        #: what open_by_handle_at(2) finds, by inode number
        self.handles: dict[int, Dentry] = {}
        #: its inodes that are watched (vfs/notification.py), and the last rename's cookie
        self.watches: set[Inode] = set()
        self.move_cookie = 0

    def root_dentry(self) -> Dentry:
        """The dentry of the root, the same for all mounts."""
        dentry = self._root_dentry
        if dentry is None:
            dentry = self._root_dentry = Dentry(b"", None, self.root)
        return dentry

    def magic_of(self, inode: "Inode") -> int:
        """f_type of statfs(2), asked with one of its inodes."""
        return self.magic

    def statfs(self) -> tuple[int, int, int, int, int, int]:
        """(block size, blocks, free, available, files, free files)."""
        return (4096, 0, 0, 0, 0, 0)

    def options(self) -> list[str]:
        """The options that only its type knows, as mountinfo shows them."""
        return []

    def release(self) -> None:
        """The last mount of it is gone, and so is everybody who was in one.

        What it holds refers back to it: it is freed now, not when the interpreter looks for cycles.
        """
        self.dentries.clear()
        self.handles.clear()


class Inode:
    """A file of any type.  Identity is the Python object; `number` is what stat shows."""

    #: whether something can be mounted there
    can_be_mount_point = True

    __slots__ = (
        "__weakref__",
        "file_locks",
        "filesystem",
        "flags",
        "has_acl",
        "mode",
        "number",
        "watches",
    )

    def __init__(self, filesystem: FileSystem, number: int, mode: int) -> None:
        self.filesystem = filesystem
        self.number = number
        #: file type and permission bits; the type never changes.  `set_attributes` must keep it
        #: current: the path walk looks at it alone where everybody may search a directory
        self.mode = mode
        #: an access control list may be there, which `get_acl` knows; else the mode says it all
        self.has_acl = False
        #: FS_…_FL of which `vfs/protection.py` tells
        self.flags = 0
        #: advisory locks, made when the first one is taken (vfs/locks.py)
        self.file_locks: object | None = None
        #: inotify watches, made when the first one is set
        self.watches: Watches | None = None

    # -- attributes ------------------------------------------------------------

    @property
    def is_directory(self) -> bool:
        return self.mode & S_IFMT == S_IFDIR

    @property
    def is_symlink(self) -> bool:
        return self.mode & S_IFMT == S_IFLNK

    @property
    def is_special(self) -> bool:
        """Whether it is a device, a FIFO or a socket: writing to it changes no file system."""
        return self.mode & S_IFMT in _SPECIAL_KINDS

    def get_attributes(self) -> Attributes:
        """Current attributes (stat(2))."""
        raise NotImplementedError

    def set_attributes(self, change: AttributeChange) -> None:
        """Apply a change; permission was checked, set-id bits were dropped by the caller.

        Errors: EROFS, EPERM, EINVAL (size of something without one), ENOSPC, EFBIG.
        """
        raise EPERM

    def permission_ids(self) -> tuple[int, int, int]:
        """(mode, uid, gid) for the permission check; cheaper than get_attributes if it can be."""
        attributes = self.get_attributes()
        return attributes.mode, attributes.uid, attributes.gid

    # -- directories -----------------------------------------------------------

    def lookup(self, name: bytes) -> "Inode":
        """The child called `name` (never "." or "..").  Errors: ENOENT, ENOTDIR, EIO."""
        raise ENOTDIR

    def revalidate(self, name: bytes, child: "Inode | None") -> bool:
        """Whether a cached lookup still holds; asked only if filesystem.needs_revalidation."""
        return True

    def foresee(self, name: bytes, following: list[bytes]) -> None:
        """A walk will ask for `name` and then, in it, for `following`, the last of them first.

        For file systems with needs_revalidation, that can ask once for all of them.
        """

    # `umask` is for the file system to take from the mode, unless the directory's default access
    # control list says what becomes of it.  One that keeps no lists is never given a umask.

    def create(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> "Inode":
        """A new empty regular file; the name is known to be free."""
        raise EPERM

    def make_directory(self, name: bytes, mode: int, uid: int, gid: int, umask: int = 0) -> "Inode":
        raise EPERM

    def make_node(
        self, name: bytes, mode: int, device: int, uid: int, gid: int, umask: int = 0
    ) -> "Inode":
        """A FIFO, socket, device node or regular file (mknod(2)); `mode` has the type."""
        raise EPERM

    def make_socket(
        self, name: bytes, mode: int, uid: int, gid: int, umask: int, socket_type: int
    ) -> "tuple[Inode, int]":
        """The file of a socket, and a host socket that is bound there; -1 where there is none."""
        return self.make_node(name, mode, 0, uid, gid, umask), -1

    def connect_socket(self, socket_type: int) -> int:
        """A host descriptor connected to the host's socket that this file is.

        Errors: ECONNREFUSED (also where the host's sockets are not to be had), EPROTOTYPE, EAGAIN.
        """
        raise ECONNREFUSED

    def make_symlink(self, name: bytes, target: bytes, uid: int, gid: int) -> "Inode":
        raise EPERM

    def link(self, name: bytes, target: "Inode") -> None:
        """A new name for `target`, which is of the same file system and no directory."""
        raise EPERM

    def unlink(self, name: bytes, child: "Inode") -> None:
        """Remove a name of a non-directory."""
        raise EPERM

    def remove_directory(self, name: bytes, child: "Inode") -> None:
        """Errors: ENOTEMPTY."""
        raise EPERM

    def rename(
        self,
        name: bytes,
        child: "Inode",
        new_parent: "Inode",
        new_name: bytes,
        replaced: "Inode | None",
        flags: int,
    ) -> None:
        """Move `child`; types, loops and permissions are checked.

        Errors: ENOTEMPTY, EXDEV, EINVAL (unsupported flags).
        """
        raise EPERM

    def make_unnamed(self, mode: int, uid: int, gid: int, umask: int = 0) -> "Inode":
        """O_TMPFILE."""
        raise EOPNOTSUPP

    # -- symbolic links ---------------------------------------------------------

    def read_link(self) -> bytes:
        """readlink(2).  Errors: EINVAL when it is no link."""
        raise EINVAL

    def follow_link(self, task: "Task") -> "bytes | Path":
        """Where a walk through this link goes on: a target string, or (magic links) a place."""
        return self.read_link()

    # -- opening ----------------------------------------------------------------

    def open(self, task: "Task", path: "Path", flags: int) -> "OpenFile":
        """A new open file description; access was checked, O_CREAT and O_EXCL are done.

        O_TRUNC is left to the implementation.  `flags` are as the guest gave them.
        """
        raise ELOOP if self.is_symlink else EOPNOTSUPP

    # -- extended attributes ------------------------------------------------------

    def get_xattr(self, name: bytes) -> bytes:
        """Errors: ENODATA, EOPNOTSUPP."""
        raise EOPNOTSUPP

    def set_xattr(self, name: bytes, value: bytes, flags: int) -> None:
        raise EOPNOTSUPP

    def list_xattrs(self) -> list[bytes]:
        return []

    def remove_xattr(self, name: bytes) -> None:
        raise EOPNOTSUPP

    # -- flags --------------------------------------------------------------------

    def get_flags(self) -> int:
        """FS_…_FL (vfs/file_flags.py).  Errors: ENOTTY where there are none."""
        raise ENOTTY

    def set_flags(self, flags: int) -> None:
        """Change them, with the right to do so.  Errors: ENOTTY, EOPNOTSUPP."""
        raise ENOTTY

    # -- access control lists -----------------------------------------------------

    def get_acl(self, kind: bytes) -> "AccessControlList | None":
        """The access list (acl.ACCESS) or a directory's default list (acl.DEFAULT)."""
        return None

    def set_acl(self, kind: bytes, acl: "AccessControlList | None") -> None:
        """Keep a list, which is valid and may be kept here; None removes it.

        Mode bits follow an access list; one that says no more than they do is not kept.
        """
        raise EOPNOTSUPP
