"""A mount that the gofer serves: the client, its inodes, and what is given back to the gofer.

One inode object exists for a file of the host that is in use, found by device and inode number, so
that hard links are one file here too.  Inodes die when nobody uses them; their nodes are closed in
the gofer along with the next request.  They are only noted in the finalizer, which may run in
the middle of a request.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

from runsc_py.gofer.protocol import (
    DEVICE_MAJOR,
    DEVICE_MINOR,
    INODE,
    MODE,
)
from runsc_py.gofer.protocol import (
    Attributes as HostAttributes,
)
from runsc_py.sentry.errors import EMFILE, error_for
from runsc_py.sentry.fs.gofer.ahead import LookedUpAhead
from runsc_py.sentry.fs.gofer.descriptors import DescriptorCache
from runsc_py.sentry.fs.gofer.directory import GoferDirectory
from runsc_py.sentry.fs.gofer.foreseen import ForeseenWalk
from runsc_py.sentry.fs.gofer.identity import IdMapper, RecordedOwners
from runsc_py.sentry.fs.gofer.node import GoferInode
from runsc_py.sentry.fs.gofer.regular import GoferRegular
from runsc_py.sentry.fs.gofer.special import GoferSpecial, GoferSymlink
from runsc_py.sentry.fs.layer import LayerFileSystem
from runsc_py.sentry.vfs.attributes import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from runsc_py.sentry.vfs.inode import FileSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from runsc_py.gofer.client import GoferClient
    from runsc_py.sentry.kernel.kernel import Kernel

    T = TypeVar("T")

V9FS_MAGIC = 0x01021997

#: inode numbers of a second, third … host device under one mount are moved by this much
_DEVICE_SHIFT = 50

_DT_REG = S_IFREG >> 12

_KINDS: dict[int, type[GoferInode]] = {
    S_IFREG: GoferRegular,
    S_IFDIR: GoferDirectory,
    S_IFLNK: GoferSymlink,
}


class GoferFileSystem(LayerFileSystem):
    """Mount number `index` of the gofer behind `client`.

    `shared` says that the host may change the files while we run.  Raises the OSError of a source
    that the gofer could not open.
    """

    type_name = "gofer"
    magic = V9FS_MAGIC
    keeps_acls = True

    def __init__(
        self,
        kernel: Kernel,
        client: GoferClient,
        index: int,
        *,
        shared: bool = False,
        ids: IdMapper | None = None,
        owners: RecordedOwners | None = None,
        source: str = "gofer",
    ) -> None:
        super().__init__(kernel)
        self.client = client
        self.shared = shared
        self.needs_revalidation = shared
        self.source = source
        self.ids = ids if ids is not None else IdMapper()
        #: what takes the place of the host's modes and owners; of a mount that is only read
        self.owners = owners
        self.descriptors = DescriptorCache()
        self.ahead = LookedUpAhead(self)
        self.foreseen = ForeseenWalk(self)
        #: nodes whose inodes died, of all mounts: this one may be gone before they are closed
        self.dead_nodes = client.dead_nodes
        #: the file made last, as long as its descriptor waits for the open that made it
        self.unclaimed: GoferRegular | None = None
        #: file systems whose dentries keep inodes of this one: itself, and overlays over it
        self._users: list[FileSystem] = [self]
        self._inodes: WeakValueDictionary[tuple[int, int], GoferInode] = WeakValueDictionary()
        self._devices: dict[int, int] = {}
        #: the gofer tells with all attributes whether there is an access control list
        self.tells_acls = False
        #: a device node may be among the inodes
        self._has_devices = False
        root, attributes, self.read_only = client.mount(index)
        self.root: GoferInode = self.inode(root, attributes)

    def share(self) -> None:
        """From now on the host may change the files, too."""
        self.shared = self.needs_revalidation = True
        self.ahead.clear()
        for inode in self._inodes.values():
            if isinstance(inode, GoferDirectory):
                inode.forget_listing()

    def add_user(self, filesystem: FileSystem) -> None:
        self._users.append(filesystem)

    # -- identity ---------------------------------------------------------------------

    def number(self, device: int, inode: int) -> int:
        """The inode number to show; the device that stat(2) shows is one for all of the mount."""
        return inode ^ self._devices.setdefault(device, len(self._devices)) << _DEVICE_SHIFT

    def kind(self, device: int, inode: int, kind: int) -> int:
        """The DT_* type to list where the host says `kind`: a device of the sandbox is a regular
        file there.  Those that nobody asked about yet cannot be told apart."""
        if self._has_devices and kind == _DT_REG:
            known = self._inodes.get((device, inode))
            if known is not None:
                return known.mode >> 12
        return kind

    def knows(self, attributes: HostAttributes) -> bool:
        """Whether there is an inode of the file with these attributes."""
        return (identify_device(attributes), attributes[INODE]) in self._inodes

    def inode(self, node: int, attributes: HostAttributes) -> GoferInode:
        """The inode of a node that the gofer gave; a second node of a known one is given back."""
        key = (identify_device(attributes), attributes[INODE])
        known = self._inodes.get(key)
        if known is not None and known.mode & S_IFMT == attributes[MODE] & S_IFMT:
            self.dead_nodes.append(node)
            known.learn(attributes)
            return known
        kind = _KINDS.get(attributes[MODE] & S_IFMT, GoferSpecial)
        if kind is GoferSpecial:
            self._has_devices = True
        made = kind(self, node, attributes)
        self._inodes[key] = made
        return made

    # -- requests ------------------------------------------------------------------------

    def ask(self, request: Callable[..., T], *arguments: object) -> T:
        """A request of the client; its OSError as the KernelError that the VFS looks for.

        Where the gofer has no descriptors left, what nobody uses is given back first.
        """
        try:
            self._give_back()
            return request(*arguments)
        except OSError as error:
            if error.errno != EMFILE.number:
                raise error_for(error.errno or 0) from None
        try:
            self.reclaim()
            return request(*arguments)
        except OSError as error:
            raise error_for(error.errno or 0) from None

    def _give_back(self) -> None:
        dead = self.dead_nodes
        while dead:
            self.client.close_node(dead.pop())

    def forget_unused(self) -> None:
        """Forget what nobody uses, to save memory here and descriptors of the gofer."""
        self.descriptors.clear()
        self.ahead.clear()
        for user in self._users:
            user.dentries.drop_unused()
        self._give_back()
        self.client.flush_closed()

    def reclaim(self) -> None:
        """Forget what nobody uses, so that the gofer can close its nodes."""
        self.descriptors.clear()
        self.ahead.clear()
        for user in self._users:
            cache = user.dentries
            # The gofer can hold less than the cache: from now on it is to hold less too.
            cache.limit = cache.threshold = max(len(cache.order) * 3 // 4, 64)
            cache.prune()
        self._give_back()
        self.client.flush_closed()

    # -- the FileSystem contract -----------------------------------------------------------

    def statfs(self) -> tuple[int, int, int, int, int, int]:
        answer = self.ask(self.client.statfs, self.root.node)
        _, block_size, blocks, free, available, files, free_files, *_ = answer
        return (block_size, blocks, free, available, files, free_files)

    def options(self) -> list[str]:
        return ["cache=shared" if self.shared else "cache=exclusive"]

    def release(self) -> None:
        super().release()
        self.descriptors.clear()
        self.ahead.clear()


def identify_device(attributes: HostAttributes) -> int:
    """One number for the host device of attributes."""
    return attributes[DEVICE_MAJOR] << 32 | attributes[DEVICE_MINOR]
