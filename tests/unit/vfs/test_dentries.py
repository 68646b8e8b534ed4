"""The dentry cache: what is remembered, what is dropped, what never is."""

from harness.file_world import FileWorld, fake_kernel
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.vfs.dentry_cache import DentryCache
from runsc_py.sentry.vfs.path import Dentry


def world_with_limit(limit: int) -> FileWorld:
    filesystem = Tmpfs(fake_kernel(), mode=0o755)
    filesystem.dentries = DentryCache(limit)
    return FileWorld(filesystem)


def test_the_cache_is_bounded() -> None:
    world = world_with_limit(100)
    for number in range(1000):
        world.write(b"/%d" % number, b"")
    for number in range(1000):
        world.stat(b"/%d" % number)
        world.lstat(b"/%d" % number)
    assert len(world.filesystem.dentries.order) <= 100
    assert len(world.mount.root.children) <= 100


def test_negative_dentries_are_bounded_too() -> None:
    world = world_with_limit(100)
    for number in range(1000):
        try:
            world.stat(b"/%d" % number)
        except Exception as error:
            assert type(error).__name__ == "ENOENT"
    assert len(world.filesystem.dentries.order) <= 100


def test_what_is_used_stays() -> None:
    world = world_with_limit(16)
    world.mkdir(b"/d")
    world.write(b"/d/open", b"")
    file = world.open(b"/d/open")
    for number in range(200):
        world.write(b"/%d" % number, b"")
    assert world.walk(b"/d/open").dentry is file.path.dentry
    world.rename(b"/d/open", b"/d/renamed")
    assert file.path.dentry.name == b"renamed"
    file.drop()


def test_a_new_name_replaces_a_negative_dentry() -> None:
    world = world_with_limit(16)
    for _ in range(3):
        try:
            world.stat(b"/f")
            raise AssertionError
        except Exception as error:
            assert type(error).__name__ == "ENOENT"
        world.write(b"/f", b"x")
        assert world.read(b"/f") == b"x"
        world.unlink(b"/f")


def test_a_crowd_in_use_raises_the_threshold() -> None:
    cache = DentryCache(32)
    filesystem = Tmpfs(fake_kernel())
    filesystem.dentries = cache
    root = filesystem.root_dentry()
    kept = [root.add(b"%d" % number, None) for number in range(100)]
    assert len(root.children) == 100
    assert cache.threshold > 32
    kept.clear()
    for number in range(100, 110):
        root.add(b"%d" % number, None)
    assert len(root.children) <= 34
    assert isinstance(root, Dentry)
