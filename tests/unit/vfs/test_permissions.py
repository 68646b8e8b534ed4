"""Who may do what: mode bits, the sticky bit, set-id bits, capabilities."""

import errno
import os
from collections.abc import Callable

import pytest

from harness.file_world import FileWorld, error_number, fake_kernel
from runsc_py.sentry.auth.capabilities import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    capability_set,
)
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.vfs.permissions import MAY_EXECUTE, MAY_READ, MAY_WRITE, may


@pytest.fixture
def world() -> FileWorld:
    """A tree that root made; tests then act as user 1000 of groups 1000 and 50."""
    world = FileWorld(Tmpfs(fake_kernel(), mode=0o755))
    world.mkdir(b"/closed", 0o700)
    world.write(b"/closed/f", b"")
    world.mkdir(b"/sticky")
    world.chmod(b"/sticky", 0o1777)
    world.write(b"/sticky/root", b"")
    world.mkdir(b"/group")
    world.chmod(b"/group", 0o2775)
    world.chown(b"/group", 0, 50)
    return world


def become(world: FileWorld, uid: int, *capabilities: int) -> None:
    """Act as a user with groups `uid` and 50."""
    world.task.credentials = world.task.credentials.replace(
        uid=uid,
        euid=uid,
        suid=uid,
        fsuid=uid,
        gid=uid,
        egid=uid,
        sgid=uid,
        fsgid=uid,
        groups=(50,),
        effective=capability_set(*capabilities),
    )


def error_of(operation: Callable[[], object]) -> int:
    try:
        operation()
    except (KernelError, OSError) as error:
        return error_number(error)
    return 0


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "mask", "expected"),
    [
        (0o400, 1000, 0, MAY_READ, True),
        (0o400, 1000, 0, MAY_WRITE, False),
        (0o077, 1000, 50, MAY_READ, False),  # the owner's bits count for the owner
        (0o040, 0, 50, MAY_READ, True),
        (0o007, 0, 50, MAY_READ, False),
        (0o007, 0, 0, MAY_READ | MAY_WRITE | MAY_EXECUTE, True),
        (0o006, 0, 0, MAY_READ | MAY_EXECUTE, False),
    ],
)
def test_mode_bits(
    world: FileWorld, mode: int, uid: int, gid: int, mask: int, expected: bool
) -> None:
    world.write(b"/f", b"")
    world.chown(b"/f", uid, gid)
    world.chmod(b"/f", mode)
    become(world, 1000)
    assert may(world.task.credentials, world.walk(b"/f").inode, mask) is expected


def test_capabilities_override_mode_bits(world: FileWorld) -> None:
    world.write(b"/f", b"")
    world.chmod(b"/f", 0)
    file, directory = world.walk(b"/f").inode, world.walk(b"/closed").inode
    become(world, 1000, CAP_DAC_OVERRIDE)
    credentials = world.task.credentials
    assert may(credentials, file, MAY_READ | MAY_WRITE)
    assert not may(credentials, file, MAY_EXECUTE)  # nobody may execute it
    assert may(credentials, directory, MAY_EXECUTE | MAY_WRITE)
    become(world, 1000, CAP_DAC_READ_SEARCH)
    credentials = world.task.credentials
    assert may(credentials, file, MAY_READ)
    assert not may(credentials, file, MAY_READ | MAY_WRITE)
    assert may(credentials, directory, MAY_READ | MAY_EXECUTE)
    assert not may(credentials, directory, MAY_WRITE)


def test_search_is_needed_for_every_directory(world: FileWorld) -> None:
    become(world, 1000)
    assert error_of(lambda: world.stat(b"/closed")) == 0
    assert error_of(lambda: world.stat(b"/closed/")) == 0
    assert error_of(lambda: world.stat(b"/closed/.")) == errno.EACCES
    assert error_of(lambda: world.stat(b"/closed/..")) == errno.EACCES
    assert error_of(lambda: world.stat(b"/closed/f")) == errno.EACCES
    assert error_of(lambda: world.stat(b"/closed/missing")) == errno.EACCES


def test_sticky_directory(world: FileWorld) -> None:
    become(world, 1000)
    world.write(b"/sticky/mine", b"")
    assert error_of(lambda: world.unlink(b"/sticky/root")) == errno.EPERM
    assert error_of(lambda: world.rename(b"/sticky/root", b"/sticky/x")) == errno.EPERM
    assert error_of(lambda: world.rename(b"/sticky/mine", b"/sticky/root")) == errno.EPERM
    assert error_of(lambda: world.unlink(b"/sticky/mine")) == 0
    become(world, 1000, CAP_FOWNER)
    assert error_of(lambda: world.unlink(b"/sticky/root")) == 0


def test_set_gid_directory_passes_its_group_on(world: FileWorld) -> None:
    become(world, 1000)
    world.mkdir(b"/group/d")
    world.write(b"/group/f", b"")
    made = world.stat(b"/group/d")
    assert (made.gid, made.mode & 0o7777) == (50, 0o2755)
    assert world.stat(b"/group/f").gid == 50


def test_chown_is_for_the_privileged(world: FileWorld) -> None:
    become(world, 1000)
    world.write(b"/sticky/mine", b"")
    assert error_of(lambda: world.chown(b"/sticky/mine", 1001, 1000)) == errno.EPERM
    assert error_of(lambda: world.chown(b"/sticky/mine", 1000, 51)) == errno.EPERM
    assert error_of(lambda: world.chown(b"/sticky/mine", 1000, 50)) == 0
    assert error_of(lambda: world.chown(b"/sticky/root", 0, 0)) == errno.EPERM


def test_chown_takes_set_id_bits(world: FileWorld) -> None:
    world.write(b"/f", b"")
    world.chmod(b"/f", 0o6755)
    world.chown(b"/f", 0, 0)  # even for root
    assert world.stat(b"/f").mode & 0o7777 == 0o755


def test_chmod_drops_set_gid_of_foreign_groups(world: FileWorld) -> None:
    world.write(b"/f", b"")
    world.chown(b"/f", 1000, 7)
    become(world, 1000)
    world.chmod(b"/f", 0o2755)
    assert world.stat(b"/f").mode & 0o7777 == 0o755
    assert error_of(lambda: world.chmod(b"/sticky/root", 0o777)) == errno.EPERM


def test_truncate_needs_write_permission(world: FileWorld) -> None:
    become(world, 1000)
    assert error_of(lambda: world.truncate(b"/sticky/root", 0)) == errno.EACCES
    assert error_of(lambda: world.truncate(b"/sticky", 0)) == errno.EISDIR


def test_new_file_may_be_opened_whatever_its_mode(world: FileWorld) -> None:
    become(world, 1000)
    world.open(b"/sticky/f", os.O_CREAT | os.O_RDWR, 0).drop()
    assert error_of(lambda: world.open(b"/sticky/f", os.O_RDONLY)) == errno.EACCES


def test_hard_links_to_others_files_are_refused(world: FileWorld) -> None:
    become(world, 1000)
    assert error_of(lambda: world.link(b"/sticky/root", b"/sticky/mine")) == errno.EPERM


def test_moving_a_directory_needs_write_permission_on_it(world: FileWorld) -> None:
    become(world, 1000)
    world.mkdir(b"/sticky/a", 0o755)
    world.mkdir(b"/sticky/a/child", 0o555)
    world.mkdir(b"/sticky/b", 0o755)
    move = error_of(lambda: world.rename(b"/sticky/a/child", b"/sticky/b/child"))
    assert move == errno.EACCES
    assert error_of(lambda: world.rename(b"/sticky/a/child", b"/sticky/a/other")) == 0
