"""What every inode of the gofer's file system shares: attributes, and how long they hold.

Exclusive caching believes what it was told until the sandbox itself changes something
(`stale`).  Shared caching asks for every stat.  A donated descriptor answers without the gofer.
"""

from runsc_py.gofer import protocol
from runsc_py.gofer.protocol import Attributes as HostAttributes
from runsc_py.sentry.errors import ENODATA, EOPNOTSUPP, error_for
from runsc_py.sentry.vfs.acl import ACCESS, AccessControlList
from runsc_py.sentry.vfs.attributes import AttributeChange, Attributes, make_device
from runsc_py.sentry.vfs.inode import Inode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem


class GoferInode(Inode):
    """A file of the host; `node` stands for it in the gofer."""

    __slots__ = ("_acl", "_shown", "gofer", "known", "learnt_at", "node", "stale")

    def __init__(self, gofer: "GoferFileSystem", node: int, attributes: HostAttributes) -> None:
        if gofer.owners is not None:
            attributes = gofer.owners.apply(attributes)
        device = attributes[protocol.DEVICE_MAJOR] << 32 | attributes[protocol.DEVICE_MINOR]
        number = gofer.number(device, attributes[protocol.INODE])
        super().__init__(gofer, number, attributes[protocol.MODE])
        self.gofer = gofer
        self.node = node
        #: the host's attributes as we know them
        self.known = attributes
        #: they are not right any more
        self.stale = False
        #: when they were told (Kernel.moment): the same system call need not ask again
        self.learnt_at = gofer.kernel.moment
        #: `known` as the guest sees it, once somebody asked
        self._shown: Attributes | None = None
        #: the access control list, None also as long as nobody asked
        self._acl: AccessControlList | None = None
        self.has_acl = self._may_have_acl()

    def __del__(self) -> None:
        self.gofer.dead_nodes.append(self.node)

    # -- attributes ----------------------------------------------------------------------

    def learn(self, attributes: HostAttributes) -> None:
        """The gofer told the current attributes."""
        if self.gofer.owners is not None:
            attributes = self.gofer.owners.apply(attributes)
        before = self.known
        self.known = attributes
        self.mode = attributes[protocol.MODE]
        self.stale = False
        self.learnt_at = self.gofer.kernel.moment
        self._shown = None
        if before[protocol.CHANGE_TIME] != attributes[protocol.CHANGE_TIME] or self._acl is None:
            self._acl = None
            self.has_acl = self._may_have_acl()

    def refresh(self) -> None:
        """Bring `known` up to date, if it may not be."""
        if self.stale or (self.gofer.shared and self.learnt_at != self.gofer.kernel.moment):
            self.learn(self.gofer.ask(self.gofer.client.stat, self.node))

    def get_attributes(self) -> Attributes:
        self.refresh()
        shown = self._shown
        if shown is None:
            shown = self._shown = self._present()
        return shown

    def _present(self) -> Attributes:
        known = self.known
        ids = self.gofer.ids
        return Attributes(
            device=self.filesystem.device,
            inode=self.number,
            mode=known[protocol.MODE],
            links=known[protocol.LINKS],
            uid=ids.guest_uid(known[protocol.UID]),
            gid=ids.guest_gid(known[protocol.GID]),
            special_device=make_device(
                known[protocol.SPECIAL_MAJOR], known[protocol.SPECIAL_MINOR]
            ),
            size=known[protocol.SIZE],
            block_size=known[protocol.BLOCK_SIZE],
            blocks=known[protocol.BLOCKS],
            access_time=known[protocol.ACCESS_TIME],
            modification_time=known[protocol.MODIFICATION_TIME],
            change_time=known[protocol.CHANGE_TIME],
            birth_time=known[protocol.BIRTH_TIME],
        )

    def permission_ids(self) -> tuple[int, int, int]:
        known = self.known
        ids = self.gofer.ids
        return (
            self.mode,
            ids.guest_uid(known[protocol.UID]),
            ids.guest_gid(known[protocol.GID]),
        )

    def set_attributes(self, change: AttributeChange) -> None:
        mask, fields = self._request_of(change)
        client = self.gofer.client
        failed, number, attributes = self.gofer.ask(client.setattr, self.node, mask, *fields)
        self.learn(attributes)
        if failed:
            raise error_for(number)

    def _request_of(self, change: AttributeChange) -> tuple[int, tuple[int, ...]]:
        """setattr's mask and fields; an owner who is shown as wanted already is left alone.

        chown(2) sets the change time even when it leaves both alone, which is a change of nothing.
        """
        mask = 0
        ids = self.gofer.ids
        uid, gid = change.uid, change.gid
        if uid is not None or gid is not None or change.is_empty:
            mask = protocol.SET_UID | protocol.SET_GID
        if uid == ids.guest_uid(self.known[protocol.UID]):
            uid = None
        if gid == ids.guest_gid(self.known[protocol.GID]):
            gid = None
        for value, bit in (
            (change.mode, protocol.SET_MODE),
            (change.size, protocol.SET_SIZE),
            (change.access_time, protocol.SET_ATIME),
            (change.modification_time, protocol.SET_MTIME),
        ):
            if value is not None:
                mask |= bit
        fields = (
            change.mode or 0,
            ids.host_uid(uid),
            ids.host_gid(gid),
            change.size or 0,
            change.access_time or 0,
            change.modification_time or 0,
        )
        return mask, fields

    # -- extended attributes ------------------------------------------------------------------

    def get_xattr(self, name: bytes) -> bytes:
        return self.gofer.ask(self.gofer.client.getxattr, self.node, name)

    def set_xattr(self, name: bytes, value: bytes, flags: int) -> None:
        self.gofer.ask(self.gofer.client.setxattr, self.node, name, value, flags)
        self.stale = True

    def list_xattrs(self) -> list[bytes]:
        return self.gofer.ask(self.gofer.client.listxattr, self.node)

    def remove_xattr(self, name: bytes) -> None:
        self.gofer.ask(self.gofer.client.removexattr, self.node, name)
        self.stale = True

    # -- access control lists -----------------------------------------------------------------

    def _may_have_acl(self) -> bool:
        """What the gofer told along with the attributes, if it did."""
        if self.is_symlink:
            return False
        return self.known[protocol.ACL_STATE] != protocol.ACL_ABSENT

    def get_acl(self, kind: bytes) -> "AccessControlList | None":
        if kind != ACCESS:
            return self._ask_acl(kind)
        if self._acl is None and self.has_acl:
            # Guests who override permissions never come here, so it is not told from the start.
            gofer = self.gofer
            if not gofer.tells_acls:
                gofer.ask(gofer.client.tell_acls)
                gofer.tells_acls = True
            self._acl = self._ask_acl(kind)
            self.has_acl = self._acl is not None
        return self._acl

    def _ask_acl(self, kind: bytes) -> "AccessControlList | None":
        gofer = self.gofer
        try:
            value = gofer.ask(gofer.client.getxattr, self.node, kind)
        except (ENODATA, EOPNOTSUPP):
            return None
        if gofer.owners is not None:
            return AccessControlList.parse(value)  # the ids are the guest's, as the owners are
        ids = gofer.ids
        return AccessControlList.parse(value, ids.guest_uid, ids.guest_gid)

    def set_acl(self, kind: bytes, acl: "AccessControlList | None") -> None:
        gofer = self.gofer
        if acl is not None:
            value = acl.encode(gofer.ids.host_uid, gofer.ids.host_gid)
            gofer.ask(gofer.client.setxattr, self.node, kind, value, 0)
        else:
            try:
                gofer.ask(gofer.client.removexattr, self.node, kind)
            except ENODATA:
                return
        self._acl = None
        self.learn(gofer.ask(gofer.client.stat, self.node))
