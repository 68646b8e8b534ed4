"""A hypothesis state machine: the same random file operations on one of our file systems and on a
real directory of the host.

Every result, every errno and the final tree must agree.  The native directory is one of the host's
tmpfs, whose rules ours follow.  Some operations are made by other users than root.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from harness.file_questions import (
    ALLOCATION_MODES,
    EVERYBODY,
    FILE_FLAGS,
    IDENTITIES,
    MODES,
    OPEN_FLAGS,
    OWNERS,
    PATHS,
    RENAME_FLAGS,
    SIZES,
    access_control_lists,
)
from harness.file_world import FileWorld, error_number
from harness.native_files import (
    ROOT,
    Identity,
    NativeFiles,
    acting_as,
    allocate,
    clear_flags,
    set_flags,
)
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.vfs import acl
from runsc_py.sentry.vfs.attribute_operations import remove_set_ids
from runsc_py.sentry.vfs.open_file import OpenFile
from runsc_py.sentry.vfs.protection import check_not_immutable, check_overwritable

#: where the host's tmpfs is
NATIVE_PARENT = "/dev/shm"
MOST_OPEN_FILES = 4

Outcome = tuple[str, Any]


def populate(directory: bytes) -> None:
    """Something to start from."""
    for name in (b"a", b"b", b"a/b"):
        os.mkdir(directory + b"/" + name)
        os.chmod(directory + b"/" + name, 0o777)
    for name, size in ((b"c", 5), (b"a/a", 100000), (b"a/b/a", 70), (b"b/a", 0)):
        with open(directory + b"/" + name, "wb") as file:
            file.write(b"l" * size)
        os.chmod(directory + b"/" + name, 0o666)
    os.link(directory + b"/c", directory + b"/b/c")
    os.symlink(b"a", directory + b"/a/b/c")
    os.chown(directory + b"/a/b", 1234, 1234)
    os.chown(directory + b"/a/a", 1234, 50)


def outcome_of(operation: Callable[[], Any]) -> Outcome:
    """What an operation gave: its result, or its errno."""
    try:
        return "result", operation()
    except (KernelError, OSError) as error:
        return "errno", error_number(error)


class FileSystemMachine(RuleBasedStateMachine):
    """Random operations; derived classes say on which of our file systems."""

    #: st_nlink of directories, st_blocks: what an overlay shows otherwise
    exact = True
    #: extended attributes that can be set
    attributes: tuple[bytes, ...] = (b"user.x", b"user.y", b"trusted.x")
    #: files can be immutable and append-only
    has_flags = True

    def make_world(self) -> FileWorld:
        """One of our file systems, populated."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="runsc-py-fuzz-", dir=NATIVE_PARENT).encode()
        os.chmod(self.directory, 0o755)
        self.old_umask = os.umask(0o022)
        self.native = NativeFiles(self.directory + b"/native")
        os.mkdir(self.native.root)
        os.chmod(self.native.root, 0o777)
        populate(self.native.root)
        self.identity = ROOT
        #: both sides of each open file
        self.open_files: list[tuple[OpenFile, int]] = []

    @initialize()
    def begin(self) -> None:
        self.ours = self.make_world()

    def teardown(self) -> None:
        try:
            if hasattr(self, "ours"):
                while self.open_files:
                    self.close_file(0)
                self.ours.become(*ROOT)
                self.compare_trees(b"")
        finally:
            for _, descriptor in self.open_files:
                os.close(descriptor)
            self.close()
            os.umask(self.old_umask)
            for path, _, _ in os.walk(self.native.root):
                clear_flags(path)
            shutil.rmtree(self.directory)

    def close(self) -> None:
        """Give back what make_world made."""

    # -- comparing --------------------------------------------------------------------

    def compare(self, name: str, ours: Callable[[], Any], native: Callable[[], Any]) -> Outcome:
        """Run both sides, as who we are, and return what both gave."""
        with acting_as(self.identity):
            expected = outcome_of(native)
        actual = outcome_of(ours)
        assert actual == expected, f"{name}: {actual}, natively {expected}, as {self.identity}"
        return expected

    def compare_trees(self, path: bytes) -> None:
        """Whether everything below `path` is the same."""
        self.compare_attributes(path or b".")
        expected = sorted(os.listdir(self.native.path(path)))
        assert sorted(self.ours.listdir(b"/" + path)) == expected, path
        for name in expected:
            child = path + b"/" + name if path else name
            status = os.lstat(self.native.path(child))
            if stat.S_ISDIR(status.st_mode):
                self.compare_trees(child)
                continue
            self.compare_attributes(child)
            if stat.S_ISREG(status.st_mode):
                with open(self.native.path(child), "rb") as file:
                    assert self.ours.read(child) == file.read()
            elif stat.S_ISLNK(status.st_mode):
                assert self.ours.readlink(child) == os.readlink(self.native.path(child))

    def compare_attributes(self, path: bytes) -> None:
        native = os.lstat(self.native.path(path))
        self.compare_status(path, self.ours.lstat(path), native)
        if not stat.S_ISLNK(native.st_mode):
            names = sorted(map(os.fsencode, os.listxattr(self.native.path(path))))
            assert sorted(self.ours.listxattr(path)) == names, path
            for name in names:
                value = os.getxattr(self.native.path(path), name)
                assert (path, name, self.ours.getxattr(path, name)) == (path, name, value)

    def compare_status(self, what: object, ours: Any, native: os.stat_result) -> None:
        """stat(2), without what cannot be the same."""
        shown = (what, oct(ours.mode), ours.uid, ours.gid)
        assert shown == (what, oct(native.st_mode), native.st_uid, native.st_gid)
        directory = stat.S_ISDIR(native.st_mode)
        if self.exact or not directory:
            assert (what, ours.links) == (what, native.st_nlink)
            assert (what, ours.size) == (what, native.st_size)
        if self.exact:
            assert (what, ours.blocks) == (what, native.st_blocks)

    def compare_access(self, path: bytes) -> None:
        """Whether everybody may do the same with a file."""
        for identity in EVERYBODY:
            for mode in (os.R_OK, os.W_OK, os.X_OK, os.R_OK | os.W_OK):
                with acting_as(identity):
                    native = os.access(self.native.path(path), mode, effective_ids=True)
                self.ours.become(*identity)
                assert (path, identity, mode, self.ours.access(path, mode)) == (
                    path,
                    identity,
                    mode,
                    native,
                )
        self.ours.become(*self.identity)

    def is_special(self, path: bytes) -> bool:
        """Whether it is a FIFO: opening it has effects of its own."""
        try:
            return stat.S_ISFIFO(os.stat(self.native.path(path)).st_mode)
        except OSError:
            return False

    # -- who acts -----------------------------------------------------------------------

    @rule(identity=IDENTITIES)
    def become(self, identity: Identity) -> None:
        self.identity = identity
        self.ours.become(*identity)

    @rule(umask=st.sampled_from([0, 0o022, 0o027, 0o077]))
    def umask(self, umask: int) -> None:
        os.umask(umask)
        self.ours.task.file_context.umask = umask

    # -- names --------------------------------------------------------------------------

    @rule(path=PATHS, mode=st.sampled_from([0o777, 0o777, 0o700, 0o1777]))
    def mkdir(self, path: bytes, mode: int) -> None:
        self.compare(
            "mkdir",
            lambda: self.ours.mkdir(path, mode),
            lambda: os.mkdir(self.native.path(path), mode),
        )

    @rule(path=PATHS)
    def rmdir(self, path: bytes) -> None:
        self.compare(
            "rmdir", lambda: self.ours.rmdir(path), lambda: os.rmdir(self.native.path(path))
        )

    @rule(path=PATHS)
    def unlink(self, path: bytes) -> None:
        self.compare(
            "unlink", lambda: self.ours.unlink(path), lambda: os.unlink(self.native.path(path))
        )

    @rule(path=PATHS, mode=st.sampled_from([stat.S_IFREG, stat.S_IFIFO, stat.S_IFSOCK]))
    def mknod(self, path: bytes, mode: int) -> None:
        self.compare(
            "mknod",
            lambda: self.ours.mknod(path, mode | 0o666),
            lambda: os.mknod(self.native.path(path), mode | 0o666),
        )

    @rule(content=PATHS, path=PATHS)
    def symlink(self, content: bytes, path: bytes) -> None:
        self.compare(
            "symlink",
            lambda: self.ours.symlink(content, path),
            lambda: os.symlink(content, self.native.path(path)),
        )

    @rule(source=PATHS, path=PATHS)
    def link(self, source: bytes, path: bytes) -> None:
        self.compare(
            "link",
            lambda: self.ours.link(source, path),
            lambda: os.link(
                self.native.path(source), self.native.path(path), follow_symlinks=False
            ),
        )

    @rule(old=PATHS, new=PATHS, flags=RENAME_FLAGS)
    def rename(self, old: bytes, new: bytes, flags: int) -> None:
        self.compare(
            "rename",
            lambda: self.ours.rename(old, new, flags),
            lambda: self.native.rename(old, new, flags),
        )

    # -- attributes ---------------------------------------------------------------------

    @rule(path=PATHS, mode=MODES)
    def chmod(self, path: bytes, mode: int) -> None:
        outcome = self.compare(
            "chmod",
            lambda: self.ours.chmod(path, mode),
            lambda: os.chmod(self.native.path(path), mode),
        )
        if outcome[0] == "result":
            self.compare_access(path)

    @rule(path=PATHS, uid=OWNERS, gid=OWNERS, follow=st.booleans())
    def chown(self, path: bytes, uid: int, gid: int, follow: bool) -> None:
        outcome = self.compare(
            "chown",
            lambda: self.ours.chown(path, uid, gid, follow),
            lambda: os.chown(self.native.path(path), uid, gid, follow_symlinks=follow),
        )
        if outcome[0] == "result":
            self.compare_access(path)

    @rule(path=PATHS, index=st.integers(0, 2), value=st.binary(max_size=3), flags=st.integers(0, 2))
    def setxattr(self, path: bytes, index: int, value: bytes, flags: int) -> None:
        name = self.attributes[index % len(self.attributes)]
        self.compare(
            "setxattr",
            lambda: self.ours.setxattr(path, name, value, flags),
            lambda: os.setxattr(self.native.path(path), name, value, flags),
        )

    @rule(path=PATHS, kind=st.sampled_from(acl.NAMES), value=access_control_lists())
    def set_acl(self, path: bytes, kind: bytes, value: bytes) -> None:
        outcome = self.compare(
            "setxattr of a list",
            lambda: self.ours.setxattr(path, kind, value),
            lambda: os.setxattr(self.native.path(path), kind, value),
        )
        if outcome[0] == "result":
            self.compare_access(path)

    @rule(path=PATHS, index=st.integers(0, 4))
    def removexattr(self, path: bytes, index: int) -> None:
        names = self.attributes + acl.NAMES
        name = names[index % len(names)]
        self.compare(
            "removexattr",
            lambda: self.ours.removexattr(path, name),
            lambda: os.removexattr(self.native.path(path), name),
        )

    @rule(path=PATHS, index=st.integers(0, 4))
    def getxattr(self, path: bytes, index: int) -> None:
        names = self.attributes + acl.NAMES
        name = names[index % len(names)]
        self.compare(
            "getxattr",
            lambda: (self.ours.getxattr(path, name), sorted(self.ours.listxattr(path))),
            lambda: (
                os.getxattr(self.native.path(path), name),
                sorted(map(os.fsencode, os.listxattr(self.native.path(path)))),
            ),
        )

    @precondition(lambda self: self.has_flags)
    @rule(path=PATHS, flags=FILE_FLAGS)
    def set_flags(self, path: bytes, flags: int) -> None:
        """As root: who else may is told in tests/syscalls/files/file_flags.c."""
        assume(self.identity == ROOT and not self.is_special(path))
        self.compare(
            "set flags",
            lambda: self.ours.set_flags(path, flags),
            lambda: set_flags(self.native.path(path), flags),
        )

    @rule(path=PATHS)
    def lstat(self, path: bytes) -> None:
        if os.path.lexists(self.native.path(path)):
            self.ours.become(*ROOT)
            self.compare_attributes(path)
            self.ours.become(*self.identity)
        else:
            self.compare(
                "lstat", lambda: self.ours.lstat(path), lambda: os.lstat(self.native.path(path))
            )

    # -- contents ---------------------------------------------------------------------------

    @rule(path=PATHS)
    def listdir(self, path: bytes) -> None:
        self.compare(
            "listdir",
            lambda: sorted(self.ours.listdir(path)),
            lambda: sorted(os.listdir(self.native.path(path))),
        )

    @rule(path=PATHS, size=SIZES)
    def truncate(self, path: bytes, size: int) -> None:
        self.compare(
            "truncate",
            lambda: self.ours.truncate(path, size),
            lambda: os.truncate(self.native.path(path), size),
        )

    @rule(
        path=PATHS,
        size=SIZES,
        offset=st.none() | SIZES,
        flags=OPEN_FLAGS,
        byte=st.binary(min_size=1, max_size=1),
    )
    def write(self, path: bytes, size: int, offset: int | None, flags: int, byte: bytes) -> None:
        def ours() -> int:
            file = self.ours.open(path, os.O_WRONLY | flags, 0o666)
            try:
                count = (
                    file.write(byte * size)
                    if offset is None
                    else file.write_at(byte * size, offset)
                )
                if size:
                    remove_set_ids(self.ours.task, file.inode)
                return count
            finally:
                file.drop()

        if not self.is_special(path):
            self.compare("write", ours, lambda: self.native.write(path, byte * size, flags, offset))

    @rule(path=PATHS, size=SIZES, offset=SIZES)
    def read(self, path: bytes, size: int, offset: int) -> None:
        def ours() -> bytes:
            file = self.ours.open(path)
            try:
                if file.inode.is_directory:
                    return file.read(size)
                return file.read_at(size, offset)
            finally:
                file.drop()

        if not self.is_special(path):
            self.compare("read", ours, lambda: self.native.read(path, size, offset))

    # -- open files, which may lose their names --------------------------------------------------

    @rule(path=PATHS, flags=OPEN_FLAGS, access=st.sampled_from([os.O_RDONLY, os.O_RDWR, os.O_RDWR]))
    def open(self, path: bytes, flags: int, access: int) -> None:
        assume(len(self.open_files) < MOST_OPEN_FILES and not self.is_special(path))
        made: list[Any] = []

        def ours() -> None:
            file = self.ours.open(path, access | flags, 0o666)
            made.append(file)

        def native() -> None:
            made.append(self.native.open(path, access | flags))

        if self.compare("open", ours, native)[0] == "result":
            self.open_files.append((made[1], made[0]))

    @precondition(lambda self: self.open_files)
    @rule(index=st.integers(0, MOST_OPEN_FILES - 1))
    def close_file(self, index: int) -> None:
        file, descriptor = self.open_files.pop(index % len(self.open_files))
        self.compare_status("open file", file.inode.get_attributes(), os.fstat(descriptor))
        file.drop()
        os.close(descriptor)

    def open_file(self, index: int) -> tuple[OpenFile, int]:
        """One that is a regular file."""
        file, descriptor = self.open_files[index % len(self.open_files)]
        assume(stat.S_ISREG(os.fstat(descriptor).st_mode))
        return file, descriptor

    @precondition(lambda self: self.open_files)
    @rule(index=st.integers(0, MOST_OPEN_FILES - 1), size=SIZES, offset=SIZES)
    def write_open(self, index: int, size: int, offset: int) -> None:
        file, descriptor = self.open_file(index)
        assume(file.writable and size)

        def ours() -> int:
            count = file.write_at(b"w" * size, offset)
            remove_set_ids(self.ours.task, file.inode)
            return count

        self.compare("pwrite", ours, lambda: os.pwrite(descriptor, b"w" * size, offset))

    @precondition(lambda self: self.open_files)
    @rule(index=st.integers(0, MOST_OPEN_FILES - 1), size=SIZES, offset=SIZES)
    def read_open(self, index: int, size: int, offset: int) -> None:
        file, descriptor = self.open_file(index)
        self.compare(
            "pread",
            lambda: file.read_at(size, offset),
            lambda: os.pread(descriptor, size, offset),
        )

    @precondition(lambda self: self.open_files)
    @rule(index=st.integers(0, MOST_OPEN_FILES - 1), size=SIZES)
    def truncate_open(self, index: int, size: int) -> None:
        file, descriptor = self.open_file(index)
        assume(file.writable)

        def ours() -> None:
            check_overwritable(file.inode)
            file.truncate(size)
            remove_set_ids(self.ours.task, file.inode)

        self.compare("ftruncate", ours, lambda: os.ftruncate(descriptor, size))

    @precondition(lambda self: self.open_files)
    @rule(
        index=st.integers(0, MOST_OPEN_FILES - 1), mode=ALLOCATION_MODES, offset=SIZES, size=SIZES
    )
    def allocate_open(self, index: int, mode: int, offset: int, size: int) -> None:
        file, descriptor = self.open_file(index)
        assume(file.writable and size)

        def ours() -> None:
            if mode & ~1:
                check_overwritable(file.inode)
            check_not_immutable(file.inode)
            file.allocate(mode, offset, size)
            remove_set_ids(self.ours.task, file.inode)

        self.compare("fallocate", ours, lambda: allocate(descriptor, mode, offset, size))

    @precondition(lambda self: self.open_files)
    @rule(
        index=st.integers(0, MOST_OPEN_FILES - 1),
        offset=SIZES,
        whence=st.sampled_from([os.SEEK_SET, os.SEEK_END, os.SEEK_DATA, os.SEEK_HOLE]),
    )
    def seek_open(self, index: int, offset: int, whence: int) -> None:
        file, descriptor = self.open_file(index)
        self.compare(
            "lseek", lambda: file.seek(offset, whence), lambda: os.lseek(descriptor, offset, whence)
        )
