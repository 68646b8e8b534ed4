"""Mounts: crossing them down and up, stacking, binding, moving, pivoting; names across them."""

import errno
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.file_world import FileWorld, fake_kernel
from runsc_py.sentry.abi.mount_flags import MS_NODEV, MS_RDONLY
from runsc_py.sentry.errors import EBUSY, EINVAL, EXDEV, KernelError
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.kernel.fd_table import FdTable
from runsc_py.sentry.kernel.limits import Limits
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.vfs import mounting
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext, FileSystemType
from runsc_py.sentry.vfs.inode import FileSystem
from runsc_py.sentry.vfs.mount import MountNamespace
from runsc_py.sentry.vfs.mount_copies import copy_namespace
from runsc_py.sentry.vfs.naming import path_name, working_directory_name
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.pivoting import pivot_root
from runsc_py.sentry.vfs.unmounting import MNT_DETACH, unmount
from runsc_py.sentry.vfs.walk import RESOLVE_NO_XDEV, walk


class NewType(FileSystemType):
    """A type that makes what `Mounted.new` does."""

    name = "tmpfs"
    in_user_namespaces = True

    def __init__(self, world: "Mounted") -> None:
        self.world = world

    def make(self, task: Task, context: FileSystemContext) -> FileSystem:
        return self.world.new()


class Mounted(FileWorld):
    """A tmpfs as the root of a namespace, with directories to mount on."""

    def __init__(self) -> None:
        super().__init__(Tmpfs(fake_kernel(), mode=0o755))
        #: a file system ends with its last mount
        self.others: list[FileWorld] = []
        namespace = self.task.credentials.user_namespace
        self.namespace = MountNamespace(self.mount, namespace, 1)
        task = cast(Any, self.task)
        task.namespaces = SimpleNamespace(mount=self.namespace, ipc=None)
        task.memory = SimpleNamespace(executable=None, users=1)
        task.files = FdTable(Limits())
        task.kernel.root_pid_namespace = SimpleNamespace(tasks={1: self.task})
        task.kernel.file_systems = {"tmpfs": lambda: NewType(self)}
        for path in (b"/a", b"/a/b", b"/c"):
            self.mkdir(path)
        self.write(b"/file", b"")

    def new(self) -> Tmpfs:
        """Another tmpfs, with a directory and a file."""
        world = FileWorld(Tmpfs(self.task.kernel, mode=0o755))
        world.mkdir(b"/in")
        world.write(b"/f", b"inside")
        self.others.append(world)
        return cast(Tmpfs, world.filesystem)

    def name(self, path: bytes) -> bytes:
        return path_name(self.walk(path), self.task.file_context.root)


@pytest.fixture
def world() -> Mounted:
    return Mounted()


def test_down_and_up(world: Mounted) -> None:
    world.namespace.mount(world.new(), world.walk(b"/a/b"))
    assert world.read(b"/a/b/f") == b"inside"
    assert world.name(b"/a/b/in") == b"/a/b/in"
    assert world.name(b"/a/b/in/../..") == b"/a"
    assert world.name(b"/a/b/in/../../..") == b"/"
    assert world.name(b"/../..") == b"/"
    with pytest.raises(EXDEV):
        walk(world.task, b"/a/b/in", resolve=RESOLVE_NO_XDEV)
    with pytest.raises(EXDEV):
        walk(world.task, b"../..", world.walk(b"/a/b/in"), resolve=RESOLVE_NO_XDEV)


def test_a_second_mount_hides_the_first(world: Mounted) -> None:
    first = world.namespace.mount(world.new(), world.walk(b"/c"))
    second = world.namespace.mount(world.new(), world.walk(b"/c"))
    assert second.parent is first
    assert world.walk(b"/c").mount is second
    assert world.name(b"/c/in/../..") == b"/"
    unmount(world.task, world.walk(b"/c"), 0, set())
    assert world.walk(b"/c").mount is first


def test_bind_shows_a_part_and_recursive_bind_what_is_mounted_there(world: Mounted) -> None:
    world.namespace.mount(world.new(), world.walk(b"/a/b"))
    mounting.bind(world.task, world.walk(b"/a"), world.walk(b"/c"), False)
    assert world.listdir(b"/c") == [b"b"]
    assert world.listdir(b"/c/b") == []
    unmount(world.task, world.walk(b"/c"), 0, set())
    mounting.bind(world.task, world.walk(b"/a"), world.walk(b"/c"), True)
    assert world.read(b"/c/b/f") == b"inside"
    assert world.name(b"/c/b/in") == b"/c/b/in"


def test_bind_of_a_file_needs_a_file(world: Mounted) -> None:
    world.write(b"/target", b"")
    with pytest.raises(KernelError) as caught:
        mounting.bind(world.task, world.walk(b"/file"), world.walk(b"/c"), False)
    assert caught.value.number == errno.ENOTDIR
    mounting.bind(world.task, world.walk(b"/file"), world.walk(b"/target"), False)
    assert world.walk(b"/target").inode is world.walk(b"/file").inode
    with pytest.raises(EBUSY):
        world.unlink(b"/target")
    with pytest.raises(EBUSY):
        world.rename(b"/target", b"/other")


def test_flags_are_those_of_the_mount(world: Mounted) -> None:
    mounting.mount_new(world.task, b"none", world.walk(b"/c"), b"tmpfs", MS_NODEV, b"")
    place = world.walk(b"/c")
    assert place.mount.flags & MS_NODEV
    mounting.remount(world.task, place, mounting.MS_REMOUNT | mounting.MS_BIND | MS_RDONLY, b"")
    with pytest.raises(KernelError) as caught:
        world.mkdir(b"/c/new")
    assert caught.value.number == errno.EROFS
    world.mkdir(b"/a/new")
    with pytest.raises(EINVAL):
        mounting.remount(world.task, world.walk(b"/a"), mounting.MS_REMOUNT, b"")


def test_a_used_mount_is_busy_unless_detached(world: Mounted) -> None:
    world.namespace.mount(world.new(), world.walk(b"/c"))
    inside = world.walk(b"/c/in")
    world.task.file_context.working_directory = inside
    with pytest.raises(EBUSY):
        unmount(world.task, world.walk(b"/c"), 0, set())
    unmount(world.task, world.walk(b"/c"), MNT_DETACH, set())
    assert world.listdir(b"/c") == []
    assert world.read(b"../f") == b"inside"
    root = world.task.file_context.root
    assert working_directory_name(inside, root) == b"(unreachable)/in"


def test_move(world: Mounted) -> None:
    world.namespace.mount(world.new(), world.walk(b"/c"))
    mounting.move(world.task, world.walk(b"/c"), world.walk(b"/a/b"))
    assert world.listdir(b"/c") == []
    assert world.read(b"/a/b/f") == b"inside"
    with pytest.raises(EINVAL):
        mounting.move(world.task, world.walk(b"/a"), world.walk(b"/c"))


def test_pivot_root(world: Mounted) -> None:
    world.namespace.mount(world.new(), world.walk(b"/c"))
    pivot_root(world.task, world.walk(b"/c"), world.walk(b"/c/in"))
    assert world.read(b"/f") == b"inside"
    assert world.name(b"/in/a/b") == b"/in/a/b"
    unmount(world.task, world.walk(b"/in"), MNT_DETACH, set())
    assert world.listdir(b"/in") == []
    assert len(world.namespace.mounts) == 1


def test_a_copied_namespace_is_independent(world: Mounted) -> None:
    world.namespace.mount(world.new(), world.walk(b"/c"))
    copy, copies = copy_namespace(world.namespace, world.namespace.user_namespace, 2)
    assert len(copy.mounts) == 2
    root = Path(copies[world.mount], world.mount.root)
    world.task.file_context.root = root
    assert world.read(b"/c/f") == b"inside"
    copy.detach(world.walk(b"/c").mount)
    assert world.listdir(b"/c") == []
    assert len(world.namespace.mounts) == 2


def test_names_of_removed_and_nameless_things(world: Mounted) -> None:
    place = world.walk(b"/file")
    world.unlink(b"/file")
    assert path_name(place) == b"/file (deleted)"
    nameless = world.task.kernel.anonymous_path(place.inode, b"pipe:[7]")
    assert path_name(nameless, world.task.file_context.root) == b"pipe:[7]"


def test_names_follow_a_rename(world: Mounted) -> None:
    place = world.walk(b"/a/b")
    world.rename(b"/a", b"/z")
    assert path_name(place) == b"/z/b"


def test_root_of_a_chrooted_task(world: Mounted) -> None:
    outside = world.walk(b"/c")
    world.task.file_context.root = world.walk(b"/a")
    assert world.name(b"/..") == b"/"
    assert world.name(b"/b/../../b") == b"/b"
    root = world.task.file_context.root
    assert working_directory_name(outside, root) == b"(unreachable)/c"
    assert path_name(outside, root) == b"/c"
