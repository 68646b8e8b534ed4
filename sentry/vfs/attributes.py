"""What stat(2) tells of an inode, as one value object."""

S_IFMT = 0o170000
S_IFSOCK = 0o140000
S_IFLNK = 0o120000
S_IFREG = 0o100000
S_IFBLK = 0o060000
S_IFDIR = 0o040000
S_IFCHR = 0o020000
S_IFIFO = 0o010000
S_ISUID = 0o4000
S_ISGID = 0o2000
S_ISVTX = 0o1000


class Attributes:
    """inode(7).  Times are nanoseconds since the epoch; sizes are bytes; ids are global ids.

    `device` and `special_device` are Linux's encoded dev_t (makedev(3)).
    """

    __slots__ = (
        "access_time",
        "birth_time",
        "block_size",
        "blocks",
        "change_time",
        "device",
        "gid",
        "inode",
        "links",
        "mode",
        "modification_time",
        "size",
        "special_device",
        "uid",
    )

    def __init__(
        self,
        *,
        device: int,
        inode: int,
        mode: int,
        links: int,
        uid: int,
        gid: int,
        special_device: int = 0,
        size: int = 0,
        block_size: int = 4096,
        blocks: int = 0,
        access_time: int = 0,
        modification_time: int = 0,
        change_time: int = 0,
        birth_time: int = 0,
    ) -> None:
        self.device = device
        self.inode = inode
        self.mode = mode
        self.links = links
        self.uid = uid
        self.gid = gid
        self.special_device = special_device
        self.size = size
        self.block_size = block_size
        self.blocks = blocks
        self.access_time = access_time
        self.modification_time = modification_time
        self.change_time = change_time
        self.birth_time = birth_time


class AttributeChange:
    """What chmod, chown, truncate and utimensat ask for; None leaves a field alone."""

    __slots__ = ("access_time", "gid", "mode", "modification_time", "size", "uid")

    def __init__(
        self,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        size: int | None = None,
        access_time: int | None = None,
        modification_time: int | None = None,
    ) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
        self.access_time = access_time
        self.modification_time = modification_time

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to change but the change time: chown(2) with -1 twice."""
        return all(getattr(self, name) is None for name in self.__slots__)


def make_device(major: int, minor: int) -> int:
    """Linux's 64-bit encoding of a device number (makedev(3))."""
    return (
        (minor & 0xFF) | ((major & 0xFFF) << 8) | ((minor & ~0xFF) << 12) | ((major & ~0xFFF) << 32)
    )


def split_device(device: int) -> tuple[int, int]:
    """(major, minor) of an encoded device number."""
    major = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF)
    minor = (device & 0xFF) | (device >> 12 & ~0xFF)
    return major & 0xFFFFFFFF, minor & 0xFFFFFFFF
