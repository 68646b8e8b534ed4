"""A mounted tmpfs: its options and its accounts.

tmpfs(5).  Memory is accounted in pages of 4 KiB, as Linux does it; the number of inodes has a
limit of its own.  Both are charged before something is made and given back when its inode dies.
"""

import os

from runsc_py.sentry.errors import ENOSPC
from runsc_py.sentry.fs.host_file import PAGE_SIZE
from runsc_py.sentry.fs.tmpfs.directory import TmpfsDirectory
from runsc_py.sentry.vfs.attributes import S_IFDIR
from runsc_py.sentry.vfs.inode import FileSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.containers import Container
    from runsc_py.sentry.kernel.kernel import Kernel

TMPFS_MAGIC = 0x01021994

RAMFS_MAGIC = 0x858458F6

#: bytes that an inode counts for (Linux's BOGO_INODE_SIZE)
_INODE_SPACE = 1024


class Tmpfs(FileSystem):
    """One tmpfs instance.  Options: `fs/tmpfs/mounting.py`.

    `size` is in bytes, `inodes` a count; 0 means no limit, None Linux's default: half of the
    memory.
    """

    type_name = "tmpfs"
    magic = TMPFS_MAGIC
    keeps_acls = True
    has_flags = True
    #: of the root, not shown
    default_mode = 0o1777

    def __init__(
        self,
        kernel: "Kernel",
        *,
        size: int | None = None,
        inodes: int | None = None,
        mode: int = 0o1777,
        uid: int = 0,
        gid: int = 0,
        huge: str = "never",
        noswap: bool = False,
        first_inode_number: int = 1,
    ) -> None:
        super().__init__(kernel)
        self._default_limit = memory_pages(kernel) // 2
        #: 0: no limit
        self.page_limit = self._default_limit if size is None else pages_of(size)
        self.inode_limit = self._default_limit if inodes is None else inodes
        self.pages_used = 0
        #: whose memory the files are, beside the sandbox's
        self.container: Container | None = None
        self.inodes_used = 0
        #: hints to a memory management that the sandbox does not have
        self.huge = huge
        self.noswap = noswap
        #: of the root, when it was made
        self._mode, self._uid, self._gid = mode, uid, gid
        #: bytes of extended attributes, which share the limit of the inodes
        self.attribute_space = 0
        self._next_inode_number = first_inode_number
        self.root: TmpfsDirectory = TmpfsDirectory(self, mode & 0o7777 | S_IFDIR, uid, gid)

    # -- accounts -----------------------------------------------------------------

    def new_inode_number(self) -> int:
        """A number for a new inode, which is charged.  Errors: ENOSPC."""
        self.charge_inode()
        number = self._next_inode_number
        self._next_inode_number = number + 1
        return number

    def charge_inode(self) -> None:
        """Charge an inode, or a further name of one.  Errors: ENOSPC."""
        self.check_attribute_space(_INODE_SPACE)
        self.inodes_used += 1

    def release_inode(self) -> None:
        """An inode died, or lost a name of several."""
        self.inodes_used -= 1

    def _free_inode_space(self) -> int:
        return (self.inode_limit - self.inodes_used) * _INODE_SPACE - self.attribute_space

    def check_attribute_space(self, size: int) -> None:
        """Whether an inode or attributes of `size` bytes may be added.  Errors: ENOSPC."""
        if self.inode_limit and self._free_inode_space() < size:
            raise ENOSPC

    @property
    def free_pages(self) -> int:
        """How many pages may still be charged."""
        return max(self.page_limit - self.pages_used, 0) if self.page_limit else 1 << 51

    def charge_up_to(self, pages: int) -> int:
        """Charge as many of `pages` as are left; returns how many those are."""
        granted = min(pages, self.free_pages)
        self._use(granted)
        return granted

    def recharge(self, before: int, after: int) -> None:
        """What was charged with `before` pages holds `after` now, limit or not."""
        self._use(after - before)

    def _use(self, pages: int) -> None:
        self.pages_used += pages
        self.kernel.charge_memory_files(pages)
        if self.container is not None:
            self.container.memory_file_pages += pages

    def new_content_file(self) -> int:
        """A host file for the content of a file that has outgrown a few bytes.  Raises OSError."""
        # Made without sealing it carries F_SEAL_SEAL, as the files of Linux's tmpfs do.
        return os.memfd_create("tmpfs", os.MFD_CLOEXEC)

    # -- the FileSystem contract -----------------------------------------------------

    def statfs(self) -> tuple[int, int, int, int, int, int]:
        free = self.free_pages if self.page_limit else 0
        free_inodes = max(self._free_inode_space() // _INODE_SPACE, 0) if self.inode_limit else 0
        return (PAGE_SIZE, self.page_limit, free, free, self.inode_limit, free_inodes)

    def options(self) -> list[str]:
        shown = []
        if self.page_limit != self._default_limit:
            shown.append(f"size={self.page_limit * PAGE_SIZE // 1024}k")
        if self.inode_limit != self._default_limit:
            shown.append(f"nr_inodes={self.inode_limit}")
        shown += self.owner_options()
        if self.huge != "never":
            shown.append(f"huge={self.huge}")
        if self.noswap:
            shown.append("noswap")
        return shown

    def owner_options(self) -> list[str]:
        """Those about the root that differ from the default."""
        shown = []
        if self._mode != self.default_mode:
            shown.append(f"mode={self._mode:03o}")
        if self._uid:
            shown.append(f"uid={self._uid}")
        if self._gid:
            shown.append(f"gid={self._gid}")
        return shown

    def release(self) -> None:
        super().release()
        self.root.entries.clear()


class Ramfs(Tmpfs):
    """A tmpfs without limits."""

    type_name = "ramfs"
    magic = RAMFS_MAGIC
    keeps_acls = False
    has_flags = False
    default_mode = 0o755

    def __init__(self, kernel: "Kernel", mode: int) -> None:
        super().__init__(kernel, size=0, inodes=0, mode=mode)

    def options(self) -> list[str]:
        return self.owner_options()


def pages_of(size: int) -> int:
    """How many pages so many bytes take."""
    return -(-size // PAGE_SIZE)


def memory_pages(kernel: "Kernel") -> int:
    """How many pages of memory the sandbox has."""
    pages = os.sysconf("SC_PHYS_PAGES")
    if kernel.limits.memory is not None:
        pages = min(pages, kernel.limits.memory // PAGE_SIZE)
    return pages
