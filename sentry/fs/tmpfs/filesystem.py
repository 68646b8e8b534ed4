"""A mounted tmpfs: its options and its accounts.

tmpfs(5).  Memory is accounted in pages of 4 KiB, as Linux does it; the number of inodes has a
limit of its own.  Both are charged before something is made and given back when its inode dies.
"""

import os

from runsc_py.sentry.errors import EINVAL, ENOSPC
from runsc_py.sentry.fs.host_file import PAGE_SIZE
from runsc_py.sentry.fs.tmpfs.directory import TmpfsDirectory
from runsc_py.sentry.vfs.attributes import S_IFDIR
from runsc_py.sentry.vfs.inode import FileSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel

TMPFS_MAGIC = 0x01021994

_SIZE_SUFFIXES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Tmpfs(FileSystem):
    """One tmpfs instance.

    `size` is in bytes, `inodes` a count; 0 means no limit, None Linux's default: half of the
    memory.
    """

    type_name = "tmpfs"
    magic = TMPFS_MAGIC
    keeps_acls = True

    def __init__(
        self,
        kernel: "Kernel",
        *,
        size: int | None = None,
        inodes: int | None = None,
        mode: int = 0o1777,
        uid: int = 0,
        gid: int = 0,
        first_inode_number: int = 1,
    ) -> None:
        super().__init__(kernel)
        memory_pages = os.sysconf("SC_PHYS_PAGES")
        if kernel.limits.memory is not None:
            memory_pages = min(memory_pages, kernel.limits.memory // PAGE_SIZE)
        #: pages, 0: no limit
        self.page_limit = memory_pages // 2 if size is None else -(-size // PAGE_SIZE)
        self.inode_limit = memory_pages // 2 if inodes is None else inodes
        self.pages_used = 0
        self.inodes_used = 0
        self._shown_options = _show_options(size, inodes, mode, uid, gid)
        self._next_inode_number = first_inode_number
        self.root = TmpfsDirectory(self, mode & 0o7777 | S_IFDIR, uid, gid)

    # -- accounts -----------------------------------------------------------------

    def new_inode_number(self) -> int:
        """A number for a new inode, which is charged.  Errors: ENOSPC."""
        if self.inode_limit and self.inodes_used >= self.inode_limit:
            raise ENOSPC
        self.inodes_used += 1
        number = self._next_inode_number
        self._next_inode_number = number + 1
        return number

    def release_inode(self) -> None:
        """An inode died."""
        self.inodes_used -= 1

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

    # -- the FileSystem contract -----------------------------------------------------

    def statfs(self) -> tuple[int, int, int, int, int, int]:
        free = self.free_pages if self.page_limit else 0
        free_inodes = max(self.inode_limit - self.inodes_used, 0) if self.inode_limit else 0
        return (PAGE_SIZE, self.page_limit, free, free, self.inode_limit, free_inodes)

    def options(self) -> str:
        return self._shown_options


def parse_options(data: str) -> dict[str, int]:
    """mount(2)'s data string as keyword arguments of `Tmpfs`.  Errors: EINVAL."""
    arguments: dict[str, int] = {}
    for option in filter(None, data.split(",")):
        name, _, value = option.partition("=")
        try:
            if name == "size":
                arguments["size"] = _parse_size(value)
            elif name == "nr_blocks":
                arguments["size"] = _parse_size(value) * PAGE_SIZE
            elif name == "nr_inodes":
                arguments["inodes"] = _parse_size(value)
            elif name == "mode":
                arguments["mode"] = int(value, 8) & 0o7777
            elif name in ("uid", "gid"):
                arguments[name] = int(value)
            elif name not in ("huge", "mpol", "inode32", "inode64", "noswap"):
                raise EINVAL
        except ValueError:
            raise EINVAL from None
    return arguments


def _parse_size(text: str) -> int:
    """Bytes, with an optional suffix k, m, g, t, or a percentage of the memory."""
    if text.endswith("%"):
        return int(text[:-1]) * os.sysconf("SC_PHYS_PAGES") * PAGE_SIZE // 100
    factor = _SIZE_SUFFIXES.get(text[-1:].lower(), 1)
    value = int(text[:-1] if factor > 1 else text) * factor
    if value < 0:
        raise ValueError(text)
    return value


def _show_options(size: int | None, inodes: int | None, mode: int, uid: int, gid: int) -> str:
    """What mountinfo shows: what differs from the default, in Linux's order."""
    shown = ["rw"]
    if size is not None:
        shown.append(f"size={-(-size // PAGE_SIZE) * PAGE_SIZE // 1024}k")
    if inodes is not None:
        shown.append(f"nr_inodes={inodes}")
    if mode != 0o1777:
        shown.append(f"mode={mode:o}")
    if uid:
        shown.append(f"uid={uid}")
    if gid:
        shown.append(f"gid={gid}")
    return ",".join(shown)
