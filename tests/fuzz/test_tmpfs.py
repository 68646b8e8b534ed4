"""Random file operations on tmpfs, on an overlay and on a volume: `harness/file_machine.py`."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from harness.file_machine import NATIVE_PARENT, FileSystemMachine, populate
from harness.file_world import FileWorld, fake_kernel
from harness.gofer import serving_directory
from harness.host import host_kernel
from runsc_py.sentry.fs.gofer import GoferFileSystem
from runsc_py.sentry.fs.overlay import Overlay
from runsc_py.sentry.fs.tmpfs import Tmpfs


class TmpfsMachine(FileSystemMachine):
    def make_world(self) -> FileWorld:
        world = FileWorld(Tmpfs(fake_kernel(), mode=0o777))
        copy(self.native.root, world)
        return world


def copy(source: bytes, world: FileWorld) -> None:
    """Make in a world what is in a directory of the host."""
    links: dict[int, bytes] = {}
    for path, directories, files in os.walk(source):
        inside = os.path.relpath(path, source) + b"/"
        for name in directories:
            world.mkdir(inside + name)
        for name in files:
            status = os.lstat(path + b"/" + name)
            if stat.S_ISLNK(status.st_mode):
                world.symlink(os.readlink(path + b"/" + name), inside + name)
            elif status.st_ino in links:
                world.link(links[status.st_ino], inside + name)
            else:
                world.write(inside + name, Path(os.fsdecode(path + b"/" + name)).read_bytes())
                links[status.st_ino] = inside + name
        for name in directories + files:
            status = os.lstat(path + b"/" + name)
            world.chown(inside + name, status.st_uid, status.st_gid, follow=False)
            if not stat.S_ISLNK(status.st_mode):
                world.chmod(inside + name, stat.S_IMODE(status.st_mode))


class GoferMachine(FileSystemMachine):
    """On a directory of the host that a gofer serves."""

    shared = False

    def serve(self) -> GoferFileSystem:
        directory = self.directory + b"/served"
        os.mkdir(directory)
        os.chmod(directory, 0o777)
        populate(directory)
        self.serving = serving_directory(Path(os.fsdecode(directory)))
        return GoferFileSystem(
            fake_kernel(), self.serving.__enter__().client, 0, shared=self.shared
        )

    def close(self) -> None:
        if hasattr(self, "serving"):
            self.serving.__exit__(None, None, None)


class OverlayMachine(GoferMachine):
    """An overlay in memory over a directory of the host."""

    exact = False

    def make_world(self) -> FileWorld:
        lower = self.serve()
        upper = Tmpfs(lower.kernel, mode=0o777)
        return FileWorld(Overlay(lower.kernel, upper.root, (lower.root,)))


class VolumeMachine(GoferMachine):
    """A writable volume, whose gofer sets no attributes but `user.`."""

    attributes = (b"user.x", b"user.y")
    has_flags = False

    def make_world(self) -> FileWorld:
        return FileWorld(self.serve())


class SharedVolumeMachine(VolumeMachine):
    """The same where the host may change files too: everything is asked again."""

    shared = True


#: how many times as many sequences are tried when new ones are looked for
SCALE = 20 if os.environ.get("HYPOTHESIS_PROFILE") == "explore" else 1

COMMON = settings(
    deadline=None,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        os.geteuid() != 0 or not os.path.isdir(NATIVE_PARENT) or host_kernel() < (6, 6),
        reason="the guest's root is compared with the host's on a tmpfs as of Linux 6.6",
    ),
]

TestTmpfs = TmpfsMachine.TestCase
TestTmpfs.settings = settings(COMMON, max_examples=60 * SCALE)
TestOverlay = OverlayMachine.TestCase
TestOverlay.settings = settings(COMMON, max_examples=30 * SCALE)
TestVolume = VolumeMachine.TestCase
TestVolume.settings = settings(COMMON, max_examples=30 * SCALE)
TestSharedVolume = SharedVolumeMachine.TestCase
TestSharedVolume.settings = settings(COMMON, max_examples=20 * SCALE)
