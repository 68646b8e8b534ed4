"""sysfs as a file system: sysfs(5).

The tree is declared in `tree.py`, which is imported at the first look at the root.
"""

from runsc_py.sentry.fs.synthetic import (
    DeclaredDirectory,
    SyntheticDirectory,
    SyntheticFileSystem,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import Inode


class SysFileSystem(SyntheticFileSystem):
    """An instance of sysfs."""

    type_name = "sysfs"
    shows_system = True
    magic = 0x62656572

    def __init__(self, kernel: "Kernel") -> None:
        super().__init__(kernel)
        self.root = SysRoot(self)


class SysRoot(SyntheticDirectory):
    """/sys."""

    __slots__ = ("_declared",)

    def __init__(self, filesystem: SysFileSystem) -> None:
        super().__init__(filesystem)
        self._declared: DeclaredDirectory | None = None

    def _table(self) -> DeclaredDirectory:
        if self._declared is None:
            from runsc_py.sentry.fs.sys.tree import make_tree

            self._declared = DeclaredDirectory(self.filesystem, make_tree(self.filesystem.kernel))
        return self._declared

    def make_child(self, name: bytes) -> "Inode | None":
        return self._table().make_child(name)

    def names(self, task: "Task") -> "Iterable[tuple[int, bytes]]":
        return self._table().names(task)

    def links(self) -> int:
        return self._table().links()


class CgroupFileSystem(SyntheticFileSystem):
    """The one control group there is, as cgroup2 shows it: cgroups(7)."""

    type_name = "cgroup2"
    magic = 0x63677270

    def __init__(self, kernel: "Kernel") -> None:
        from runsc_py.sentry.fs.sys.control_group import make_tree

        super().__init__(kernel)
        #: options, which have no effect
        self.shown: list[str] = []
        self.root = DeclaredDirectory(self, make_tree())

    def options(self) -> list[str]:
        return self.shown
