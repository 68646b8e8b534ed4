"""The descriptor table against the host's own, and what happens to references."""

import errno
import os
import resource
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from harness.file_world import FileWorld, fake_kernel
from runsc_py.sentry.errors import EBADF, EMFILE, KernelError
from runsc_py.sentry.fs.tmpfs import Tmpfs
from runsc_py.sentry.kernel.fd_table import FdTable
from runsc_py.sentry.kernel.limits import RLIMIT_NOFILE, Limits
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.vfs.open_file import O_PATH, O_RDONLY, O_RDWR, O_WRONLY, OpenFile

TASK = cast(Task, SimpleNamespace(kernel=SimpleNamespace(log=None)))
LIMIT = 16


class Recorded(OpenFile):
    """A file that tells when it is released."""

    __slots__ = ("flushed", "released")

    def __init__(self, world: FileWorld, flags: int = O_RDWR) -> None:
        super().__init__(world.walk(b"/"), flags)
        self.released = False
        self.flushed = 0

    def flush(self, task: Any) -> None:
        self.flushed += 1

    def release(self) -> None:
        assert not self.released
        self.released = True


@pytest.fixture
def world() -> FileWorld:
    return FileWorld(Tmpfs(fake_kernel()))


@pytest.fixture
def table() -> FdTable:
    limits = Limits()
    limits.set(RLIMIT_NOFILE, LIMIT, LIMIT)
    return FdTable(limits)


def test_the_lowest_free_number_is_given(world: FileWorld, table: FdTable) -> None:
    file = Recorded(world)
    assert [table.add(file) for _ in range(4)] == [0, 1, 2, 3]
    table.remove(TASK, 1)
    table.remove(TASK, 2)
    assert table.add(file, minimum=2) == 2
    assert table.add(file) == 1
    assert table.add(file, minimum=10) == 10
    assert table.add(file) == 4


def test_a_full_table_releases_what_it_refuses(world: FileWorld, table: FdTable) -> None:
    file = Recorded(world)
    for _ in range(LIMIT):
        table.add(file)
    extra = Recorded(world)
    with pytest.raises(EMFILE):
        table.add(extra)
    assert extra.released
    with pytest.raises(EMFILE):
        table.add(file)
    assert not file.released


def test_the_last_descriptor_releases(world: FileWorld, table: FdTable) -> None:
    file = Recorded(world)
    first, second = table.add(file), table.add(file)
    child = table.fork()
    for owner, fd in ((table, first), (table, second), (child, first)):
        owner.remove(TASK, fd)
        assert not file.released
    child.release(TASK)
    assert file.released
    assert file.flushed == 4


def test_install_gives_back_what_was_there(world: FileWorld, table: FdTable) -> None:
    first, second = Recorded(world), Recorded(world)
    fd = table.add(first, close_on_exec=True)
    before = table.install(fd, second)
    assert before is first
    assert not table.close_on_exec(fd)
    table.close_file(TASK, first)
    assert first.released
    for bad in (-1, LIMIT):
        with pytest.raises(EBADF):
            table.install(bad, second)


def test_sharing_counts_users(world: FileWorld, table: FdTable) -> None:
    file = Recorded(world)
    table.add(file)
    assert table.share() is table
    table.release(TASK)
    assert not file.released
    table.release(TASK)
    assert file.released


def test_close_for_exec(world: FileWorld, table: FdTable) -> None:
    kept, closed = Recorded(world), Recorded(world)
    table.add(kept)
    fd = table.add(closed, close_on_exec=True)
    table.close_for_exec(TASK)
    assert closed.released
    assert not kept.released
    with pytest.raises(EBADF):
        table.get(fd)


@pytest.mark.parametrize(
    ("flags", "io", "readable", "writable"),
    [
        (O_RDONLY, True, True, False),
        (O_WRONLY, True, False, True),
        (O_RDWR, True, True, True),
        (3, True, False, False),
        (O_PATH, False, False, False),
    ],
)
def test_access_modes(
    world: FileWorld, table: FdTable, flags: int, io: bool, readable: bool, writable: bool
) -> None:
    fd = table.add(Recorded(world, flags))
    for allowed, look_up in (
        (io, table.get_io),
        (readable, table.get_readable),
        (writable, table.get_writable),
    ):
        if allowed:
            assert look_up(fd) is table.get(fd)
        else:
            with pytest.raises(EBADF):
                look_up(fd)


class AgainstTheHost(RuleBasedStateMachine):
    """dup, dup2, fcntl and close from a base number on, on the host and in our table."""

    #: far above what anything else in this process has open; only these are touched
    BASE = 950

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.soft = min(soft, 1024)
        self.limits.set(RLIMIT_NOFILE, self.soft, hard)
        self.table = FdTable(self.limits)
        self.world = FileWorld(Tmpfs(fake_kernel()))
        self.file = Recorded(self.world)
        assume(self.soft >= 1024)
        self.source = os.open("/dev/null", os.O_RDONLY)
        self.used: set[int] = set()

    def teardown(self) -> None:
        for fd in self.used:
            os.close(fd)
        os.close(self.source)

    @rule(offset=st.integers(0, 12), cloexec=st.booleans())
    def duplicate(self, offset: int, cloexec: bool) -> None:
        import fcntl

        minimum = self.BASE + offset
        command = fcntl.F_DUPFD_CLOEXEC if cloexec else fcntl.F_DUPFD
        expected = fcntl.fcntl(self.source, command, minimum)
        assert self.table.add(self.file, cloexec, minimum) == expected
        self.used.add(expected)

    @rule(offset=st.integers(0, 12))
    def close(self, offset: int) -> None:
        fd = self.BASE + offset
        expected = errno.EBADF
        if fd in self.used:
            os.close(fd)
            expected = 0
        try:
            self.table.remove(TASK, fd)
            outcome = 0
        except KernelError as error:
            outcome = error.number
        assert outcome == expected
        assert outcome in (0, errno.EBADF)
        self.used.discard(fd)

    @rule(offset=st.integers(0, 12), cloexec=st.booleans())
    def duplicate_to(self, offset: int, cloexec: bool) -> None:
        fd = self.BASE + offset
        os.dup2(self.source, fd, inheritable=not cloexec)
        before = self.table.install(fd, self.file, cloexec)
        if before is not None:
            self.table.close_file(TASK, before)
        self.used.add(fd)

    @invariant()
    def same(self) -> None:
        assert [fd for fd, _ in self.table.items()] == sorted(self.used)
        for fd in self.used:
            assert self.table.close_on_exec(fd) is not os.get_inheritable(fd)


TestAgainstTheHost = AgainstTheHost.TestCase
TestAgainstTheHost.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_a_descriptor_of_the_host_closed_twice_is_reported(world: FileWorld) -> None:
    """By then its number may be another file's: that must not pass in silence."""

    class ClosedTwice(Recorded):
        __slots__ = ()

        def release(self) -> None:
            descriptor = os.open("/dev/null", os.O_RDONLY)
            os.close(descriptor)
            os.close(descriptor)

    warnings: list[str] = []
    log = SimpleNamespace(warning=warnings.append)
    task = cast(Task, SimpleNamespace(kernel=SimpleNamespace(log=log)))
    table = FdTable(Limits())
    table.add(ClosedTwice(world))
    table.release(task)
    assert warnings == ["closing descriptor 0: it was closed twice; a bug here"]
