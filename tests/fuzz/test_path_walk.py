"""The path walk against the host's: the same tree on both sides, the same question asked of both.

The host answers with openat2(RESOLVE_IN_ROOT), for which the directory is the root that `..` and
absolute links cannot leave, as a guest's root is for the walk.
"""

import ctypes
import errno
import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.file_world import FileWorld, error_number, fake_kernel
from runsc_py.sentry.abi.files import OPEN_HOW
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.vfs.opening import open_file
from runsc_py.sentry.vfs.walk import RESOLVE_IN_ROOT, walk

_OPENAT2 = 437
_libc = ctypes.CDLL(None, use_errno=True)

NAMES = (b"a", b"b", b"c")
#: what paths and link targets are made of
COMPONENTS = (*NAMES, b"..", b".", b"")

paths = st.lists(st.sampled_from(COMPONENTS), min_size=1, max_size=7).map(b"/".join).filter(bool)
#: (kind, which directory, name, target of a link)
entries = st.tuples(
    st.sampled_from(("directory", "directory", "file", "link", "link")),
    st.integers(0, 5),
    st.sampled_from(NAMES),
    paths,
)
trees = st.lists(entries, max_size=14)


def openat2(directory: int, path: bytes, flags: int, mode: int = 0) -> int:
    """openat2(2) with RESOLVE_IN_ROOT; a descriptor, or OSError."""
    how = OPEN_HOW.pack(flags | os.O_CLOEXEC, mode, RESOLVE_IN_ROOT)
    while True:
        descriptor: int = _libc.syscall(_OPENAT2, directory, path, how, ctypes.c_size_t(len(how)))
        if descriptor >= 0:
            return descriptor
        # EAGAIN: somebody renamed or mounted anywhere on the host while `..` was walked.
        if ctypes.get_errno() != errno.EAGAIN:
            raise OSError(ctypes.get_errno(), "openat2")


@pytest.fixture(scope="module", autouse=True)
def _needs_openat2() -> None:
    try:
        os.close(openat2(os.open(b"/", os.O_PATH), b"/", os.O_PATH))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EPERM):
            pytest.skip("the host does not allow openat2(2)")
        raise


class TwoTrees:
    """The same tree on the host and in a tmpfs of the sentry; entries are known by a number."""

    def __init__(self, directory: bytes, tree: list[tuple[str, int, bytes, bytes]]) -> None:
        self.root = os.open(directory, os.O_PATH)
        self.world = FileWorld(Tmpfs(fake_kernel(), mode=0o755))
        self.top = directory
        directories = [b""]
        made = [b""]
        for kind, which, name, target in tree:
            parent = directories[which % len(directories)]
            path = parent + b"/" + name
            if path in made:
                continue
            made.append(path)
            if kind == "directory":
                os.mkdir(directory + path)
                self.world.mkdir(path)
                directories.append(path)
            elif kind == "file":
                os.close(os.open(directory + path, os.O_CREAT | os.O_WRONLY))
                self.world.write(path, b"")
            else:
                os.symlink(target, directory + path)
                self.world.symlink(target, path)
        self.host_numbers = {os.lstat(directory + path).st_ino: path for path in made}
        self.numbers = {self.world.lstat(path or b"/").inode: path for path in made}

    def ask_host(self, path: bytes, follow: bool) -> bytes | int:
        """Which entry the host finds, or its errno."""
        try:
            descriptor = openat2(self.root, path, os.O_PATH | (0 if follow else os.O_NOFOLLOW))
        except OSError as error:
            return error.errno or 0
        found = self.host_numbers[os.fstat(descriptor).st_ino]
        os.close(descriptor)
        return found

    def ask(self, path: bytes, follow: bool) -> bytes | int:
        """Which entry the walk finds, or its errno."""
        try:
            place = walk(self.world.task, path, follow=follow)
        except KernelError as error:
            return error.number
        return self.numbers[place.inode.get_attributes().inode]

    def contents_of_host(self) -> set[tuple[bytes, int]]:
        """Every name with its type."""
        found: set[tuple[bytes, int]] = set()
        for directory, directories, files in os.walk(self.top):
            for name in directories + files:
                path = os.path.join(directory, name)
                found.add((path[len(self.top) :], stat.S_IFMT(os.lstat(path).st_mode)))
        return found

    def contents(self, directory: bytes = b"") -> set[tuple[bytes, int]]:
        """The same of the sentry's tree."""
        found: set[tuple[bytes, int]] = set()
        for name in self.world.listdir(directory or b"/"):
            path = directory + b"/" + name
            kind = stat.S_IFMT(self.world.lstat(path).mode)
            found.add((path, kind))
            if kind == stat.S_IFDIR:
                found |= self.contents(path)
        return found

    def close(self) -> None:
        os.close(self.root)


@settings(max_examples=300, deadline=None)
@given(tree=trees, questions=st.lists(st.tuples(paths, st.booleans()), min_size=1, max_size=12))
def test_walk_finds_what_the_host_finds(
    tree: list[tuple[str, int, bytes, bytes]], questions: list[tuple[bytes, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        both = TwoTrees(os.fsencode(directory), tree)
        # Twice, so that the second round meets what the first left in the cache.
        for path, follow in questions * 2:
            assert both.ask(path, follow) == both.ask_host(path, follow), (path, follow)
        both.close()


@settings(max_examples=200, deadline=None)
@given(
    tree=trees,
    creations=st.lists(
        st.tuples(paths, st.sampled_from((0, os.O_EXCL, os.O_NOFOLLOW))), min_size=1, max_size=6
    ),
)
def test_create_makes_what_the_host_makes(
    tree: list[tuple[str, int, bytes, bytes]], creations: list[tuple[bytes, int]]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        both = TwoTrees(os.fsencode(directory), tree)
        for path, extra in creations:
            flags = os.O_CREAT | os.O_WRONLY | extra
            try:
                os.close(openat2(both.root, path, flags, 0o600))
                expected = 0
            except OSError as error:
                expected = error.errno or 0
            try:
                open_file(both.world.task, path, flags, 0o600).acquire().drop()
                outcome = 0
            except (KernelError, OSError) as error:
                outcome = error_number(error)
            assert outcome == expected, (path, extra)
        assert both.contents() == both.contents_of_host()
        both.close()


def test_forty_links_are_followed_and_no_more(tmp_path: Path) -> None:
    for count in (39, 40, 41):
        directory = tmp_path / str(count)
        directory.mkdir()
        world = FileWorld(Tmpfs(fake_kernel()))
        world.write(b"/0", b"")
        (directory / "0").touch()
        for number in range(count):
            world.symlink(b"%d" % number, b"/%d" % (number + 1))
            os.symlink(str(number), directory / str(number + 1))
        try:
            os.stat(directory / str(count))
            expected = 0
        except OSError as error:
            expected = error.errno or 0
        try:
            world.stat(b"/%d" % count)
            outcome = 0
        except KernelError as error:
            outcome = error.number
        assert outcome == expected, count
