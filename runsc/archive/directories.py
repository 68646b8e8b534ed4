"""Walking below one directory of the host by descriptors, one component at a time.

No system call here is ever given a path of more than one component, and none follows a symbolic
link: a link is read, and its text walked by the same rules, against the root of the walk.  So
nothing above that root has a name, whatever links there are and whoever makes them meanwhile.
"""

import errno
import os
import stat
from collections.abc import Iterator

from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.member import show

#: components of a path, once links are resolved; each holds a descriptor while it is walked
DEEPEST = 500
#: symbolic links met in one walk, as in Linux
MOST_LINKS = 40

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: so that we may work in it, until it gets the mode it is to have
_PRIVATE = 0o700


class Directories:
    """The directory where the last walk ended, with the descriptors of all above it.

    The next walk starts from what it shares with this one; archives are in the order of the tree.
    """

    def __init__(self, root: int) -> None:
        """`root` stays the caller's."""
        self._root = root
        self._names: list[bytes] = []
        self._descriptors: list[int] = []
        self._depth = 0

    @property
    def descriptor(self) -> int:
        """Where the walk ended; valid until the next one."""
        return self._descriptors[self._depth - 1] if self._depth else self._root

    @property
    def path(self) -> tuple[bytes, ...]:
        """Its place below the root, links resolved."""
        return tuple(self._names[: self._depth])

    def enter(self, components: list[bytes], made: list[tuple[bytes, ...]] | None) -> None:
        """Walk from the root.

        Directories that are missing are made and added to `made`; without it they are
        FileNotFoundError.  Raises ArchiveError for what is no directory, or too deep.
        """
        self._depth = 0
        links = 0
        pending = components[::-1]
        while pending:
            name = pending.pop()
            if name == b"..":
                self._depth = max(self._depth - 1, 0)
            elif self._depth < len(self._names) and self._names[self._depth] == name:
                self._depth += 1
            else:
                target = self._step(name, made)
                if target is None:
                    continue
                links += 1
                if links > MOST_LINKS:
                    raise ArchiveError(f"{show(b'/'.join(components))}: too many symbolic links")
                if target.startswith(b"/"):
                    self._depth = 0
                pending += [part for part in target.split(b"/")[::-1] if part not in (b"", b".")]

    def _step(self, name: bytes, made: list[tuple[bytes, ...]] | None) -> bytes | None:
        """Enter a directory; or return the text of the symbolic link that is there."""
        self.leave(self._depth)
        if self._depth >= DEEPEST:
            raise ArchiveError(f"directories are nested more than {DEEPEST} deep")
        here = self.descriptor
        try:
            descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=here)
        except FileNotFoundError:
            if made is None:
                raise
            os.mkdir(name, _PRIVATE, dir_fd=here)
            made.append((*self.path, name))
            descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=here)
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            if not stat.S_ISLNK(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
                place = b"/".join((*self.path, name))
                raise ArchiveError(f"{show(place)}: is not a directory") from None
            return os.readlink(name, dir_fd=here)
        self._names.append(name)
        self._descriptors.append(descriptor)
        self._depth += 1
        return None

    def leave(self, depth: int) -> None:
        """Close what is deeper than `depth`: it may be removed now."""
        while len(self._descriptors) > depth:
            self._names.pop()
            os.close(self._descriptors.pop())
        self._depth = min(self._depth, depth)

    def remove(self, name: bytes) -> None:
        """Remove what is called `name` where the walk ended, with all that is in it."""
        self.leave(self._depth)
        remove_tree(self.descriptor, name)

    def close(self) -> None:
        """Close everything but the root."""
        self.leave(0)


def remove_tree(directory: int, name: bytes | str) -> None:
    """Remove a file, or a directory with everything in it; what is not there is no error."""
    try:
        os.unlink(name, dir_fd=directory)
        return
    except FileNotFoundError:
        return
    except (IsADirectoryError, PermissionError):
        pass  # EPERM is what POSIX wants for a directory
    inner = _open_to_empty(directory, name)
    try:
        for entry in os.listdir(inner):
            remove_tree(inner, entry)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=directory)


def _open_to_empty(directory: int, name: bytes | str) -> int:
    """Open a directory of ours whose mode may forbid it."""
    try:
        descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=directory)
    except PermissionError:
        # It is ours: nobody could have swapped it for a link.
        os.chmod(name, _PRIVATE, dir_fd=directory)
        descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=directory)
    if os.fstat(descriptor).st_mode & _PRIVATE != _PRIVATE and os.geteuid() != 0:
        os.fchmod(descriptor, _PRIVATE)
    return descriptor


def disk_usage(directory: int) -> tuple[int, int]:
    """Bytes on the disk and number of entries below a directory; hard links count once."""
    seen: set[tuple[int, int]] = set()
    size = 0
    for status in _statuses(directory):
        key = (status.st_dev, status.st_ino)
        if key not in seen:
            seen.add(key)
            size += status.st_blocks * 512
    return size, len(seen)


def _statuses(directory: int) -> Iterator[os.stat_result]:
    with os.scandir(directory) as entries:
        for entry in entries:
            yield entry.stat(follow_symlinks=False)
            if entry.is_dir(follow_symlinks=False):
                inner = os.open(entry.name, _OPEN_DIRECTORY, dir_fd=directory)
                try:
                    yield from _statuses(inner)
                finally:
                    os.close(inner)
