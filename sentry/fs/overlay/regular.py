"""Regular files of the overlay: copy-up of their bytes when somebody wants to write.

A description that was opened for reading before the copy-up reads the new bytes after it, as with
Linux since 4.19; a mapping made before it keeps showing the old ones.
"""

from runsc_py.sentry.errors import EIO
from runsc_py.sentry.fs.layer import LayerFile
from runsc_py.sentry.fs.overlay.node import OverlayInode
from runsc_py.sentry.vfs.attributes import AttributeChange, Attributes
from runsc_py.sentry.vfs.inode import Inode
from runsc_py.sentry.vfs.open_file import O_ACCMODE, O_NOATIME, O_RDONLY, O_TRUNC, OpenFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.path import Path


class OverlayRegular(OverlayInode, LayerFile):
    """A regular file."""

    __slots__ = ("_wanted_size",)

    def copy_up(self, size: int | None = None) -> Inode:
        """As for every inode; of the bytes only the first `size` are copied when it is given."""
        self._wanted_size = size
        return super().copy_up()

    def copy_to(self, directory: Inode | None, name: bytes, attributes: Attributes) -> Inode:
        source = self.lowers[0]
        size = attributes.size
        if self._wanted_size is not None:
            size = min(size, self._wanted_size)
        # Without a name until it is complete: a copy that fails leaves nothing behind.
        upper_root = self.overlay.root.upper
        assert upper_root is not None
        upper = upper_root.make_unnamed(attributes.mode, attributes.uid, attributes.gid)
        if size:
            if not isinstance(source, LayerFile) or not isinstance(upper, LayerFile):
                raise EIO
            upper.copy_content(source.content_descriptor(), size)
        if directory is not None:
            directory.link(name, upper)
        return upper

    def set_attributes(self, change: AttributeChange) -> None:
        self.copy_up(change.size)
        super().set_attributes(change)

    def open_content(self, path: "Path", flags: int) -> OpenFile:
        real = self.real if flags & O_ACCMODE == O_RDONLY else self.copy_up()
        assert isinstance(real, LayerFile)
        return real.open_content(path, flags)

    def content_descriptor(self) -> int:
        real = self.real
        assert isinstance(real, LayerFile)
        return real.content_descriptor()

    def small_content(self) -> bytes | None:
        real = self.real
        assert isinstance(real, LayerFile)
        return real.small_content()

    def copy_content(self, descriptor: int, size: int) -> None:
        upper = self.copy_up()
        assert isinstance(upper, LayerFile)
        upper.copy_content(descriptor, size)

    def open(self, task: "Task", path: "Path", flags: int) -> OpenFile:
        if self.upper is None:
            if flags & O_ACCMODE == O_RDONLY and not flags & O_TRUNC:
                # A layer below is not changed, not even its access times.
                lower = self.lowers[0].open(task, path, flags | O_NOATIME)
                return LowerFile(path, flags, self, lower)
            self.copy_up(0 if flags & O_TRUNC else None)
        file = self.real.open(task, path, flags)
        self.mode = self.real.mode
        return file


class LowerFile(OpenFile):
    """A file of a lower layer, open for reading: what was copied up meanwhile is read above.

    The position is kept here, everything else asks `current`.
    """

    __slots__ = ("_file", "_node")

    seekable = True
    has_storage = True

    def __init__(self, path: "Path", flags: int, node: OverlayRegular, file: OpenFile) -> None:
        super().__init__(path, flags)
        self._node: OverlayRegular | None = node
        self._file = file

    def current(self) -> OpenFile:
        """The description in the layer that has the bytes now."""
        node = self._node
        if node is not None and node.upper is not None:
            lower = self._file
            assert isinstance(node.upper, LayerFile)
            self._file = node.upper.open_content(self.path, self.flags)
            self._node = None
            lower.release()
        return self._file

    def host_descriptor(self) -> int | None:
        return self.current().host_descriptor()

    def map_descriptor(self, task: "Task", protection: int, shared: bool) -> int:
        return self.current().map_descriptor(task, protection, shared)

    def native_reader(self) -> int:
        return self.current().native_reader()

    def accessed(self) -> None:
        self.current().accessed()

    def read(self, size: int) -> bytes:
        data = self.current().read_at(size, self.position)
        self.position += len(data)
        return data

    def read_at(self, size: int, offset: int) -> bytes:
        return self.current().read_at(size, offset)

    def seek(self, offset: int, whence: int) -> int:
        file = self.current()
        file.position = self.position
        self.position = file.seek(offset, whence)
        return self.position

    def sync(self, data_only: bool) -> None:
        self.current().sync(data_only)

    def release(self) -> None:
        self._file.release()
