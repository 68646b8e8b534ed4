"""Images on the disk: unpacked, locked, named.

The cache is one directory that only its owner may enter:

    sha256/HEX/root       an image's root directory; HEX: the digest of its configuration, or, of a
    sha256/HEX/record     plain archive, of the archive itself
    unpacking/HEX/        one that is being unpacked, or being removed
    names/NAME            symbolic links to HEX: how images are called
    sources/KEY           symbolic links to HEX: which image an archive of the host holds, where
                          KEY is what stat(2) says of it, so that a second run need not read it

Locks are flock(2) on the directories themselves.  Whoever runs an image holds a shared lock on
its directory, whoever unpacks or removes one an exclusive lock.  A directory appears in
`sha256` by rename(2), complete.  What is in `unpacking` without a lock was left by somebody who
was killed.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.images.config import ImageConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

IMAGES, UNPACKING, NAMES, SOURCES = "sha256", "unpacking", "names", "sources"
ROOT, RECORD = "root", "record"
VERSION = 1

_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: file names are no longer
_LONGEST_NAME = 255
_SECOND = 1_000_000_000
_TICK = 100_000_000


def cache_path() -> str:
    """`$RUNSC_PY_CACHE`, or runsc-py/images below `$XDG_CACHE_HOME` or ~/.cache."""
    own = os.environ.get("RUNSC_PY_CACHE")
    if own:
        return os.path.abspath(own)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = os.path.expanduser("~/.cache")
    return os.path.join(base, "runsc-py", "images")


class DamagedImageError(RunscError):
    """What the cache knows of an image cannot be read."""


class StoredImage:
    """An image of the cache that cannot be removed until it is closed."""

    __slots__ = ("_descriptor", "digest", "path", "record")

    def __init__(self, path: str, digest: str, descriptor: int, record: "dict[str, Any]") -> None:
        self.path = path
        self.digest = digest
        #: what was written when it was unpacked
        self.record = record
        self._descriptor = descriptor

    @property
    def root(self) -> str:
        """Its root directory on the host."""
        return os.path.join(self.path, ROOT)

    @property
    def config(self) -> ImageConfig:
        """What it says about how it is run."""
        return ImageConfig(**self.record["config"])

    @property
    def used(self) -> float:
        """When it was last run, in seconds since the epoch."""
        return os.fstat(self._descriptor).st_mtime

    def touch(self) -> None:
        """It is used now."""
        os.utime(self._descriptor)

    def close(self) -> None:
        """Let go of it."""
        os.close(self._descriptor)


class ImageCache:
    """The cache of one user."""

    def __init__(self, path: str | None = None) -> None:
        """Open it, made where there is none.  Raises RunscError."""
        self.path = path or cache_path()
        self._root = -1
        try:
            os.makedirs(self.path, 0o700, exist_ok=True)
            self._root = os.open(self.path, _OPEN_DIRECTORY)
            self._check_owner()
            self._images, self._unpacking, self._names, self._sources = (
                self._open(name) for name in (IMAGES, UNPACKING, NAMES, SOURCES)
            )
        except OSError as error:
            raise RunscError(f"image cache {self.path}: {error.strerror}") from None

    def _check_owner(self) -> None:
        """Nobody else may have put anything there."""
        status = os.fstat(self._root)
        if status.st_uid != os.geteuid():
            raise RunscError(f"image cache {self.path} belongs to another user; set RUNSC_PY_CACHE")
        if status.st_mode & 0o077:
            os.fchmod(self._root, 0o700)

    def _open(self, name: str) -> int:
        try:
            return os.open(name, _OPEN_DIRECTORY, dir_fd=self._root)
        except FileNotFoundError:
            _make_directory(self._root, name)
            return os.open(name, _OPEN_DIRECTORY, dir_fd=self._root)

    def close(self) -> None:
        """Close the cache; images that were found stay locked."""
        for descriptor in (
            self._root, self._images, self._unpacking, self._names, self._sources,
        ):  # fmt: skip
            os.close(descriptor)

    # -- finding ----------------------------------------------------------------------------

    def find(self, digest: str) -> StoredImage | None:
        """The image with this digest, locked.  Raises DamagedImageError."""
        digits = digest.removeprefix("sha256:")
        descriptor = lock_directory(self._images, digits, fcntl.LOCK_SH)
        if descriptor is None:
            return None
        try:
            record = _read_record(descriptor)
        except (OSError, ValueError) as error:
            os.close(descriptor)
            raise DamagedImageError(
                f"cached image {digest} is damaged ({error}); remove it: "
                f"runsc-py images rm {digits[:12]}"
            ) from None
        return StoredImage(
            os.path.join(self.path, IMAGES, digits), f"sha256:{digits}", descriptor, record
        )

    def digests(self) -> list[str]:
        """Of all images."""
        return sorted(f"sha256:{name}" for name in os.listdir(self._images))

    def names(self) -> dict[str, str]:
        """Names of images, and their digests; those that lead nowhere too."""
        links = [link for link in os.listdir(self._names) if not link.startswith(".")]
        return {unquote(link): self._follow(self._names, link) for link in links}

    def named(self, name: str) -> str | None:
        """The digest of the image with this name."""
        link = quote(name)
        return self._follow(self._names, link) or None if link else None

    def source(self, key: str) -> str | None:
        """The digest of the image that a source is known to hold."""
        return self._follow(self._sources, key) or None

    @staticmethod
    def _follow(directory: int, link: str) -> str:
        try:
            return f"sha256:{os.readlink(link, dir_fd=directory)}"
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.EINVAL, errno.ENAMETOOLONG):
                raise
            return ""

    # -- noting -----------------------------------------------------------------------------

    def set_name(self, name: str, digest: str) -> None:
        """Call an image `name`, and no other one."""
        if link := quote(name):
            self._set_link(self._names, link, digest)

    def set_source(self, key: str, digest: str) -> None:
        """Remember what a source holds."""
        self._set_link(self._sources, key, digest)

    def _set_link(self, directory: int, link: str, digest: str) -> None:
        """Replaced at once, so that a reader sees the old one or the new one."""
        temporary = f".{os.getpid()}"
        if temporary in os.listdir(directory):
            os.unlink(temporary, dir_fd=directory)  # left by somebody with our number
        os.symlink(digest.removeprefix("sha256:"), temporary, dir_fd=directory)
        os.rename(temporary, link, src_dir_fd=directory, dst_dir_fd=directory)

    # -- unpacking --------------------------------------------------------------------------

    def begin(self, digest: str, waiting: Callable[[], None]) -> "int | StoredImage":
        """Begin to unpack an image: an empty directory's descriptor, locked.

        When another run is at it, wait for that: the image is found then.  `waiting` is called
        before.
        """
        self.sweep()
        digits = digest.removeprefix("sha256:")
        while True:
            found = self.find(digest)
            if found is not None:
                return found
            _make_directory(self._unpacking, digits)
            try:
                descriptor = lock_directory(self._unpacking, digits, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                descriptor = lock_directory(self._unpacking, digits, fcntl.LOCK_EX)
            if descriptor is None:
                continue
            found = self.find(digest)
            if found is None:
                return self._emptied(descriptor)
            # It was completed between our two looks.
            os.rmdir(digits, dir_fd=self._unpacking)
            os.close(descriptor)
            return found

    @staticmethod
    def _emptied(directory: int) -> int:
        from runsc_py.runsc.archive.directories import remove_tree

        for name in os.listdir(directory):
            remove_tree(directory, name)
        return directory

    def commit(self, digest: str, directory: int, record: "dict[str, Any]") -> StoredImage:
        """What `begin` gave is complete: let it be found.  Closes `directory`."""
        digits = digest.removeprefix("sha256:")
        _write_record(directory, {"version": VERSION, **record})
        os.rename(digits, digits, src_dir_fd=self._unpacking, dst_dir_fd=self._images)
        fcntl.flock(directory, fcntl.LOCK_SH)
        return StoredImage(os.path.join(self.path, IMAGES, digits), digest, directory, record)

    def abandon(self, digest: str, directory: int) -> None:
        """What `begin` gave is not wanted.  Closes `directory`."""
        from runsc_py.runsc.archive.directories import remove_tree

        try:
            remove_tree(self._unpacking, digest.removeprefix("sha256:"))
        finally:
            os.close(directory)

    def scratch_file(self) -> int:
        """A descriptor of an empty file without a name, on the same disk."""
        return os.open(".", os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600, dir_fd=self._unpacking)

    # -- removing ---------------------------------------------------------------------------

    def remove(self, digest: str) -> bool:
        """Remove an image and its names; False when it is in use."""
        from runsc_py.runsc.archive.directories import remove_tree

        digits = digest.removeprefix("sha256:")
        try:
            descriptor = lock_directory(self._images, digits, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        if descriptor is None:
            return True
        try:
            # Another name at once, so that nobody finds half of it; our lock goes with it.
            grave = f"{digits}.{os.getpid()}"
            os.rename(digits, grave, src_dir_fd=self._images, dst_dir_fd=self._unpacking)
            remove_tree(self._unpacking, grave)
        finally:
            os.close(descriptor)
        self._remove_links(self._names, digest)
        self._remove_links(self._sources, digest)
        return True

    def _remove_links(self, directory: int, digest: str) -> None:
        for link in os.listdir(directory):
            if self._follow(directory, link) == digest:
                os.unlink(link, dir_fd=directory)

    def sweep(self) -> int:
        """Remove what interrupted runs have left, and links to nowhere; how many those were."""
        from runsc_py.runsc.archive.directories import remove_tree

        count = 0
        for name in os.listdir(self._unpacking):
            try:
                descriptor = lock_directory(self._unpacking, name, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if descriptor is None:
                continue
            try:
                remove_tree(self._unpacking, name)
                count += 1
            finally:
                os.close(descriptor)
        known = set(self.digests())
        for directory in (self._names, self._sources):
            for link in os.listdir(directory):
                # A dot: one that is just being replaced.
                if not link.startswith(".") and self._follow(directory, link) not in known:
                    os.unlink(link, dir_fd=directory)
        return count


def _make_directory(parent: int, name: str) -> None:
    """Make a directory, if no other run has."""
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        return


def lock_directory(parent: int, name: str, how: int) -> int | None:
    """Open and lock a directory; None where it is gone, perhaps while we waited.

    Errors: BlockingIOError with LOCK_NB, when somebody else has it.
    """
    try:
        descriptor = os.open(name, _OPEN_DIRECTORY, dir_fd=parent)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, how)
        if _is_still(parent, name, descriptor):
            kept, descriptor = descriptor, -1
            return kept
        return None
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _is_still(parent: int, name: str, descriptor: int) -> bool:
    """Whether `name` is what was opened."""
    try:
        there = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return False
    here = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def source_key(status: os.stat_result, wanted: str) -> str | None:
    """What a source is remembered by: its identity, its times, and which image of it.

    None for one that was changed a moment ago: it could change again without that being seen.
    """
    # Host clocks for files tick every few milliseconds, those of some file systems every second.
    tick = _TICK if status.st_ctime_ns % _SECOND else 2 * _SECOND
    if abs(time.time_ns() - status.st_ctime_ns) < tick:
        return None
    numbers = (
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns,
    )  # fmt: skip
    key = "-".join(f"{number:x}" for number in numbers)
    if wanted:
        key += "-" + quote(wanted)
    return key if len(os.fsencode(key)) <= _LONGEST_NAME else None


def quote(name: str) -> str:
    """A name as a file name; empty when it cannot be one."""
    quoted = name.replace("%", "%25").replace("/", "%2F")
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]
    fits = 0 < len(os.fsencode(quoted)) <= _LONGEST_NAME
    return quoted if fits and quoted.isprintable() else ""


def unquote(link: str) -> str:
    """The name of a file name."""
    return link.replace("%2E", ".", 1).replace("%2F", "/").replace("%25", "%")


def _read_record(directory: int) -> "dict[str, Any]":
    """Errors: OSError, ValueError."""
    import msgpack

    descriptor = os.open(RECORD, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    try:
        data = os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
    try:
        record = msgpack.unpackb(data)
    except msgpack.UnpackException as error:
        raise ValueError(str(error)) from None
    if not isinstance(record, dict) or record.get("version") != VERSION:
        raise ValueError("it was written by another version")
    return record


def _write_record(directory: int, record: "dict[str, Any]") -> None:
    import msgpack

    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(RECORD, flags, 0o600, dir_fd=directory)
    try:
        os.write(descriptor, msgpack.packb(record))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
