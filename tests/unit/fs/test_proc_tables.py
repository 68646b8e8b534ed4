"""The declared trees of /proc and /sys: everything in them can be made and has the right shape."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import cast

from harness.file_world import fake_kernel
from runsc_py.sentry.fs.proc.machine_table import FILES
from runsc_py.sentry.fs.proc.process_status import _processor_ranges
from runsc_py.sentry.fs.proc.process_table import OF_PROCESSES, OF_THREADS
from runsc_py.sentry.fs.proc.settings import _format_uuid, make_tree
from runsc_py.sentry.fs.synthetic import Specification, SyntheticFileSystem, build
from runsc_py.sentry.fs.sys.tree import make_tree as make_sys_tree
from runsc_py.sentry.fs.sys.tree import processor_list
from runsc_py.sentry.kernel.kernel import Kernel


def nodes(
    tree: Mapping[bytes, Specification], path: bytes = b""
) -> Iterator[tuple[bytes, Specification]]:
    """Every node with its path."""
    for name, what in tree.items():
        yield path + b"/" + name, what
        if isinstance(what, Mapping):
            yield from nodes(what, path + b"/" + name)


def sys_tree() -> Mapping[bytes, Specification]:
    return make_sys_tree(cast(Kernel, SimpleNamespace(options=SimpleNamespace(processors=4))))


def test_every_node_can_be_made() -> None:
    filesystem = SyntheticFileSystem(fake_kernel())
    for tree in (FILES, make_tree(), sys_tree()):
        for path, what in nodes(tree):
            assert build(filesystem, what).number > 0, path


def test_constants_are_lines() -> None:
    without = {b"/diskstats", b"/interrupts", b"/misc", b"/modules"}
    for tree in (FILES, make_tree(), sys_tree()):
        for path, what in nodes(tree):
            if isinstance(what, bytes) and path not in without:
                assert what.endswith(b"\n"), path


def test_names_are_good() -> None:
    for tree in (FILES, make_tree(), sys_tree()):
        for path, _ in nodes(tree):
            name = path.rpartition(b"/")[2]
            assert name and b"/" not in name and not name[:1].isdigit() or name == b"0", path


def test_processes_and_threads() -> None:
    """A thread has what a process has, but for these (Linux's tgid_ and tid_base_stuff)."""
    assert set(OF_PROCESSES) - set(OF_THREADS) == {
        b"task",
        b"mountstats",
        b"coredump_filter",
        b"timens_offsets",
    }
    assert set(OF_THREADS) - set(OF_PROCESSES) == {b"children"}


def test_processor_lists() -> None:
    assert processor_list(1) == b"0\n"
    assert processor_list(4) == b"0-3\n"
    assert _processor_ranges(0b1) == "0"
    assert _processor_ranges(0b101101) == "0,2-3,5"


def test_uuid() -> None:
    assert _format_uuid(bytes(16)) == b"00000000-0000-4000-8000-000000000000\n"
    assert _format_uuid(b"\xff" * 16) == b"ffffffff-ffff-4fff-bfff-ffffffffffff\n"
