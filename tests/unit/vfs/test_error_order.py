"""Which error comes first where several are due: gVisor's VFS contract and Linux's namei.c."""

import errno
import os
from collections.abc import Callable

import pytest

from harness.file_world import FileWorld, error_number, fake_kernel
from runsc_py.sentry.abi.mount_flags import MS_RDONLY
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.vfs.renaming import RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT


@pytest.fixture
def world() -> FileWorld:
    """d/ with a file and an empty directory, e/ empty, file, and links."""
    world = FileWorld(Tmpfs(fake_kernel(), mode=0o755))
    for name in (b"/d", b"/d/empty", b"/e"):
        world.mkdir(name)
    world.write(b"/d/f", b"text")
    world.write(b"/file", b"text")
    world.symlink(b"nowhere", b"/dangling")
    world.symlink(b"file", b"/link")
    return world


def error_of(operation: Callable[[], object]) -> int:
    """The errno of an operation; 0 when it succeeds."""
    try:
        operation()
    except (KernelError, OSError) as error:
        return error_number(error)
    return 0


SPECIAL_NAMES = (b"/", b"/.", b"/..", b"/d/.", b"/d/..", b"/d/./", b"/d/../")


@pytest.mark.parametrize("path", SPECIAL_NAMES)
def test_creation_of_what_is_no_name(world: FileWorld, path: bytes) -> None:
    assert error_of(lambda: world.mkdir(path)) == errno.EEXIST
    assert error_of(lambda: world.mknod(path, 0o100644)) == errno.EEXIST
    assert error_of(lambda: world.symlink(b"x", path)) == errno.EEXIST
    assert error_of(lambda: world.link(b"/file", path)) == errno.EEXIST


def test_creation_with_trailing_slash(world: FileWorld) -> None:
    assert error_of(lambda: world.mknod(b"/new/", 0o100644)) == errno.ENOENT
    assert error_of(lambda: world.symlink(b"x", b"/new/")) == errno.ENOENT
    assert error_of(lambda: world.link(b"/file", b"/new/")) == errno.ENOENT
    assert error_of(lambda: world.mknod(b"/file/", 0o100644)) == errno.EEXIST
    assert error_of(lambda: world.mkdir(b"/new/")) == 0


def test_existing_name_comes_before_read_only(world: FileWorld) -> None:
    world.mount.flags |= MS_RDONLY
    assert error_of(lambda: world.mkdir(b"/d")) == errno.EEXIST
    assert error_of(lambda: world.mkdir(b"/new")) == errno.EROFS
    assert error_of(lambda: world.mknod(b"/new/", 0o100644)) == errno.ENOENT
    assert error_of(lambda: world.unlink(b"/missing")) == errno.EROFS
    assert error_of(lambda: world.open(b"/file", os.O_WRONLY)) == errno.EROFS
    assert error_of(lambda: world.open(b"/file", os.O_RDONLY | os.O_TRUNC)) == errno.EROFS
    assert error_of(lambda: world.open(b"/new", os.O_CREAT | os.O_WRONLY)) == errno.EROFS
    assert error_of(lambda: world.chmod(b"/file", 0o600)) == errno.EROFS


def test_creation_in_a_removed_directory(world: FileWorld) -> None:
    world.task.file_context.working_directory = world.walk(b"/e")
    world.rmdir(b"/e")
    assert error_of(lambda: world.mkdir(b"new")) == errno.ENOENT
    assert error_of(lambda: world.open(b"new", os.O_CREAT | os.O_WRONLY)) == errno.ENOENT
    assert error_of(lambda: world.stat(b".")) == 0
    assert error_of(lambda: world.stat(b"../file")) == 0


def test_link_to_a_directory(world: FileWorld) -> None:
    assert error_of(lambda: world.link(b"/d", b"/new")) == errno.EPERM
    assert error_of(lambda: world.link(b"/d", b"/file")) == errno.EEXIST


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/", errno.EBUSY),
        (b"/d/.", errno.EINVAL),
        (b"/d/..", errno.ENOTEMPTY),
        (b"/file", errno.ENOTDIR),
        (b"/link", errno.ENOTDIR),
        (b"/missing", errno.ENOENT),
        (b"/d", errno.ENOTEMPTY),
        (b"/e/", 0),
    ],
)
def test_rmdir(world: FileWorld, path: bytes, expected: int) -> None:
    assert error_of(lambda: world.rmdir(path)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/", errno.EISDIR),
        (b"/d/.", errno.EISDIR),
        (b"/d/..", errno.EISDIR),
        (b"/d", errno.EISDIR),
        (b"/d/", errno.EISDIR),
        (b"/file/", errno.ENOTDIR),
        (b"/missing/", errno.ENOENT),
        (b"/file/x", errno.ENOTDIR),
        (b"/dangling", 0),
    ],
)
def test_unlink(world: FileWorld, path: bytes, expected: int) -> None:
    assert error_of(lambda: world.unlink(path)) == expected


@pytest.mark.parametrize(
    ("old", "new", "flags", "expected"),
    [
        (b"/missing", b"/d/.", 8, errno.EINVAL),
        (b"/file", b"/new", RENAME_NOREPLACE | RENAME_EXCHANGE, errno.EINVAL),
        (b"/file", b"/new", RENAME_WHITEOUT | RENAME_EXCHANGE, errno.EINVAL),
        (b"/d/.", b"/new", 0, errno.EBUSY),
        (b"/missing", b"/d/..", 0, errno.EBUSY),
        (b"/missing", b"/d/..", RENAME_NOREPLACE, errno.EEXIST),
        (b"/missing", b"/new", 0, errno.ENOENT),
        (b"/file", b"/d", RENAME_NOREPLACE, errno.EEXIST),
        (b"/file", b"/missing", RENAME_EXCHANGE, errno.ENOENT),
        (b"/file/", b"/new", 0, errno.ENOTDIR),
        (b"/file", b"/new/", 0, errno.ENOTDIR),
        (b"/d", b"/file/", RENAME_EXCHANGE, errno.ENOTDIR),
        (b"/d", b"/d/empty/new", 0, errno.EINVAL),
        (b"/d", b"/d", 0, 0),
        (b"/d/empty", b"/d", 0, errno.ENOTEMPTY),
        (b"/d/empty", b"/d", RENAME_EXCHANGE, errno.EINVAL),
        (b"/file", b"/file", 0, 0),
        (b"/d", b"/file", 0, errno.ENOTDIR),
        (b"/file", b"/d", 0, errno.EISDIR),
        (b"/e", b"/d", 0, errno.ENOTEMPTY),
        (b"/e", b"/d/empty", 0, 0),
        (b"/file", b"/d", RENAME_EXCHANGE, 0),
        (b"/e", b"/new/", 0, 0),
    ],
)
def test_rename(world: FileWorld, old: bytes, new: bytes, flags: int, expected: int) -> None:
    assert error_of(lambda: world.rename(old, new, flags)) == expected


@pytest.mark.parametrize(
    ("path", "flags", "expected"),
    [
        (b"/d", os.O_CREAT, errno.EISDIR),
        (b"/d/.", os.O_CREAT, errno.EISDIR),
        (b"/d/.", os.O_CREAT | os.O_EXCL, errno.EEXIST),
        (b"/new/", os.O_CREAT | os.O_WRONLY, errno.EISDIR),
        (b"/file/", os.O_CREAT, errno.EISDIR),
        (b"/file/", os.O_RDONLY, errno.ENOTDIR),
        (b"/dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY, errno.EEXIST),
        (b"/dangling", os.O_RDONLY, errno.ENOENT),
        (b"/link", os.O_NOFOLLOW, errno.ELOOP),
        (b"/link", os.O_NOFOLLOW | os.O_CREAT | os.O_WRONLY, errno.ELOOP),
        (b"/link", os.O_NOFOLLOW | os.O_PATH, 0),
        (b"/link", os.O_NOFOLLOW | os.O_DIRECTORY, errno.ENOTDIR),
        (b"/file", os.O_DIRECTORY, errno.ENOTDIR),
        (b"/d", os.O_WRONLY, errno.EISDIR),
        (b"/d", os.O_RDONLY | os.O_TRUNC, errno.EISDIR),
        (b"/file", os.O_TMPFILE | os.O_WRONLY, errno.ENOTDIR),
        (b"/dangling", os.O_CREAT | os.O_WRONLY, 0),
    ],
)
def test_open(world: FileWorld, path: bytes, flags: int, expected: int) -> None:
    assert error_of(lambda: world.open(path, flags)) == expected


def test_open_through_a_dangling_link_makes_its_target(world: FileWorld) -> None:
    world.write(b"/dangling", b"made")
    assert world.read(b"/nowhere") == b"made"


def test_names_that_are_too_long(world: FileWorld) -> None:
    assert error_of(lambda: world.stat(b"/" + b"n" * 255)) == errno.ENOENT
    assert error_of(lambda: world.stat(b"/" + b"n" * 256)) == errno.ENAMETOOLONG
    assert error_of(lambda: world.stat(b"/file/" + b"n" * 256)) == errno.ENOTDIR
    assert error_of(lambda: world.mkdir(b"/" + b"n" * 256)) == errno.ENAMETOOLONG
    assert error_of(lambda: world.stat(b"/." * 2048)) == errno.ENAMETOOLONG
    assert error_of(lambda: world.stat((b"/." * 2048)[:4095])) == 0
