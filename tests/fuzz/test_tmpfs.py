"""The same random file operations on our file systems and on a real directory of the host.

Every result, every errno and the final tree must agree.  The native directory is one of the host's
tmpfs, whose rules ours follow.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from harness.file_world import FileWorld, error_number, fake_kernel
from harness.gofer import serving_directory
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.gofer import GoferFileSystem
from runsc_py.sentry.fs.overlay import Overlay
from runsc_py.sentry.fs.tmpfs import Tmpfs

NAMES = st.sampled_from([b"a", b"b", b"c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
SIZES = st.sampled_from([0, 1, 5, 4095, 4096, 4097, 10000, 65535, 65536, 70000, 200000])
RENAME_FLAGS = st.sampled_from([0, 0, 0, 1, 2])

#: where the host's tmpfs is
NATIVE_PARENT = "/dev/shm"

Outcome = tuple[str, Any]


def outcome_of(operation: Callable[[], Any]) -> Outcome:
    """What an operation gave: its result, or its errno."""
    try:
        return "result", operation()
    except (KernelError, OSError) as error:
        return "errno", error_number(error)


class Native:
    """The same calls as FileWorld's on the host, in a directory of its own."""

    def __init__(self, root: bytes) -> None:
        self.root = root
        self.libc: Any = None

    def path(self, path: bytes) -> bytes:
        return self.root + b"/" + path

    def rename(self, old: bytes, new: bytes, flags: int) -> None:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        if libc.renameat2(-100, self.path(old), -100, self.path(new), flags) != 0:
            raise OSError(ctypes.get_errno(), "renameat2")

    def write(self, path: bytes, data: bytes, flags: int, offset: int | None) -> int:
        descriptor = os.open(self.path(path), os.O_WRONLY | flags, 0o666)
        try:
            if offset is None:
                return os.write(descriptor, data)
            return os.pwrite(descriptor, data, offset)
        finally:
            os.close(descriptor)

    def read(self, path: bytes, size: int, offset: int) -> bytes:
        descriptor = os.open(self.path(path), os.O_RDONLY)
        try:
            return os.pread(descriptor, size, offset)
        finally:
            os.close(descriptor)


class FileSystemMachine(RuleBasedStateMachine):
    """Random operations; derived classes say on which of our file systems."""

    #: st_nlink of directories, st_blocks: what an overlay shows otherwise
    exact = True

    def make_world(self) -> FileWorld:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="runsc-py-fuzz-", dir=NATIVE_PARENT).encode()
        self.old_umask = os.umask(0o022)
        self.native = Native(self.directory + b"/native")
        os.mkdir(self.native.root, 0o755)

    @initialize()
    def begin(self) -> None:
        self.ours = self.make_world()

    def teardown(self) -> None:
        try:
            if hasattr(self, "ours"):
                self.compare_trees(b"")
        finally:
            self.close()
            os.umask(self.old_umask)
            shutil.rmtree(self.directory)

    def close(self) -> None:
        """Give back what make_world made."""

    def compare(self, name: str, ours: Callable[[], Any], native: Callable[[], Any]) -> None:
        expected = outcome_of(native)
        actual = outcome_of(ours)
        assert actual == expected, f"{name}: {actual}, natively {expected}"

    def compare_trees(self, path: bytes) -> None:
        """Whether everything below `path` is the same."""
        expected = sorted(os.listdir(self.native.path(path)))
        assert sorted(self.ours.listdir(b"/" + path)) == expected, path
        for name in expected:
            child = path + b"/" + name if path else name
            self.compare_attributes(child)
            status = os.lstat(self.native.path(child))
            if stat.S_ISDIR(status.st_mode):
                self.compare_trees(child)
            elif stat.S_ISREG(status.st_mode):
                with open(self.native.path(child), "rb") as file:
                    assert self.ours.read(child) == file.read()
            elif stat.S_ISLNK(status.st_mode):
                assert self.ours.readlink(child) == os.readlink(self.native.path(child))

    def compare_attributes(self, path: bytes) -> None:
        ours = self.ours.lstat(path)
        native = os.lstat(self.native.path(path))
        assert ours.mode == native.st_mode
        assert (ours.uid, ours.gid) == (native.st_uid, native.st_gid)
        directory = stat.S_ISDIR(native.st_mode)
        if self.exact or not directory:
            assert (path, ours.links) == (path, native.st_nlink)
            assert (path, ours.size) == (path, native.st_size)
        if self.exact:
            assert (path, ours.blocks) == (path, native.st_blocks)

    # -- the operations ----------------------------------------------------------------

    @rule(path=PATHS, mode=st.sampled_from([0o777, 0o700, 0o1777]))
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
            lambda: self.ours.mknod(path, mode | 0o644),
            lambda: os.mknod(self.native.path(path), mode | 0o644),
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

    @rule(path=PATHS, mode=st.sampled_from([0o600, 0o755, 0o4711, 0o2750]))
    def chmod(self, path: bytes, mode: int) -> None:
        self.compare(
            "chmod",
            lambda: self.ours.chmod(path, mode),
            lambda: os.chmod(self.native.path(path), mode),
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
        flags=st.sampled_from(
            [0, os.O_CREAT, os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_TRUNC, os.O_APPEND]
        ),
        byte=st.sampled_from(b"xyz"),
    )
    def write(self, path: bytes, size: int, offset: int | None, flags: int, byte: int) -> None:
        data = bytes([byte]) * size

        def ours() -> int:
            file = self.ours.open(path, os.O_WRONLY | flags, 0o666)
            try:
                return file.write(data) if offset is None else file.write_at(data, offset)
            finally:
                file.drop()

        if not self.is_special(path):
            self.compare("write", ours, lambda: self.native.write(path, data, flags, offset))

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

    @rule(path=PATHS)
    def listdir(self, path: bytes) -> None:
        self.compare(
            "listdir",
            lambda: sorted(self.ours.listdir(path)),
            lambda: sorted(os.listdir(self.native.path(path))),
        )

    @rule(path=PATHS)
    def lstat(self, path: bytes) -> None:
        if os.path.lexists(self.native.path(path)):
            self.compare_attributes(path)
        else:
            self.compare(
                "lstat", lambda: self.ours.lstat(path), lambda: os.lstat(self.native.path(path))
            )

    def is_special(self, path: bytes) -> bool:
        """Whether an open would wait for a partner."""
        try:
            return stat.S_ISFIFO(os.stat(self.native.path(path)).st_mode)
        except OSError:
            return False


class TmpfsMachine(FileSystemMachine):
    def make_world(self) -> FileWorld:
        return FileWorld(Tmpfs(fake_kernel(), mode=0o755))


def populate(directory: bytes) -> None:
    """Something to start from."""
    for name in (b"a", b"b", b"a/b", b"a/c"):
        os.mkdir(directory + b"/" + name, 0o755)
    for name, size in ((b"c", 5), (b"a/a", 100000), (b"a/b/a", 70), (b"b/a", 0)):
        with open(directory + b"/" + name, "wb") as file:
            file.write(b"l" * size)
    os.link(directory + b"/c", directory + b"/b/c")
    os.symlink(b"a", directory + b"/a/b/c")


class OverlayMachine(FileSystemMachine):
    """An overlay over a populated directory that a gofer serves."""

    exact = False

    def make_world(self) -> FileWorld:
        lower = self.directory + b"/lower"
        os.mkdir(lower, 0o755)
        populate(lower)
        populate(self.native.root)
        self.serving = serving_directory(Path(os.fsdecode(lower)))
        kernel = fake_kernel()
        lower_filesystem = GoferFileSystem(kernel, self.serving.__enter__().client, 0)
        upper = Tmpfs(kernel, mode=0o755)
        return FileWorld(Overlay(kernel, upper.root, (lower_filesystem.root,)))

    def close(self) -> None:
        if hasattr(self, "serving"):
            self.serving.__exit__(None, None, None)


class VolumeMachine(FileSystemMachine):
    """A writable directory that a gofer serves."""

    def make_world(self) -> FileWorld:
        volume = self.directory + b"/volume"
        os.mkdir(volume, 0o755)
        self.serving = serving_directory(Path(os.fsdecode(volume)))
        client = self.serving.__enter__().client
        return FileWorld(GoferFileSystem(fake_kernel(), client, 0))

    def close(self) -> None:
        if hasattr(self, "serving"):
            self.serving.__exit__(None, None, None)


COMMON = settings(
    deadline=None,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.isdir(NATIVE_PARENT),
    reason="the sandbox's guest root is compared with the host's root on a tmpfs",
)

TestTmpfs = TmpfsMachine.TestCase
TestTmpfs.settings = settings(COMMON, max_examples=60)
TestOverlay = OverlayMachine.TestCase
TestOverlay.settings = settings(COMMON, max_examples=30)
TestVolume = VolumeMachine.TestCase
TestVolume.settings = settings(COMMON, max_examples=30)
