"""What a start of the sandbox imports: everybody waits for it, every time."""

import pytest

from harness.imports import modules_after

#: each costs between one and fifty milliseconds
TOO_SLOW = {
    "argparse",
    "asyncio",
    "construct",
    "dataclasses",
    "importlib.metadata",
    "inspect",
    "json",
    "logging",
    "pathlib",
    "pickle",
    "re",
    "shutil",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "traceback",
    "typing",
    "urllib",
}

PROGRAM = """

import runsc_py.runsc.cli, runsc_py.runsc.commands.run, runsc_py.runsc.running
import runsc_py.runsc.boot, runsc_py.runsc.sandbox, runsc_py.runsc.supervision
import runsc_py.runsc.host_signals, runsc_py.sentry.kernel.run_loop, runsc_py.sentry.syscalls.all
"""


IMAGE = """

import runsc_py.runsc.images.running, runsc_py.runsc.images.cache, runsc_py.runsc.images.owners
"""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Modules after the imports of a run, without those that an editable install's hook needs."""
    return modules_after(PROGRAM, tmp_path_factory.mktemp("package"))


def test_no_slow_modules(imported: set[str]) -> None:
    """Those are imported where they are used, or not at all."""
    assert imported & TOO_SLOW == set()


def test_families_wait_for_their_first_call(imported: set[str]) -> None:
    """No module of handlers is imported before a program runs."""
    families = {name for name in imported if name.startswith("runsc_py.sentry.syscalls.")}
    assert {name.rpartition(".")[2] for name in families} == {"all", "table", "types"}


def test_number_of_modules(imported: set[str]) -> None:
    """Each costs a tenth of a millisecond before it does anything."""
    assert len(imported) < 250


def test_a_cached_image_imports_nothing_slow(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What unpacks images is for those that are not in the cache."""
    modules = modules_after(IMAGE, tmp_path_factory.mktemp("package"))
    assert modules & (TOO_SLOW | {"hashlib", "tarfile", "gzip", "zlib", "contextlib"}) == set()
    assert not any(name.startswith("runsc_py.runsc.archive") for name in modules)
