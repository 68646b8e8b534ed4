"""One module of CPython's tests: run natively, run inside, compared.

A difference is tried once more, alone, before it counts, as CPython's own runner does
(`--verbose2`): many of these tests measure time. What passes only then is told apart in the table.
"""

import datetime
import functools
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conformance.exceptions import exceptions
from conformance.verbose import NO_RESULT, OK, results
from harness import sandbox
from harness.compiler import REPOSITORY
from harness.differential import environment, same_user
from harness.processes import Finished, run
from harness.programs import PYTHON

KEPT = REPOSITORY / "build" / "conformance"
"""Every module's last result, NAME.json, and what was printed, NAME.native and NAME.inside."""

_QUICK_NAMES = (
    "test_os test_posix test_resource test_sched test_posixpath test_shutil test_tempfile "
    "test_pathlib test_glob test_fileio test_dbm test_fcntl test_ioctl test_import"
)
_SLOW_NAMES = (
    "test_fork1 test_wait3 test_wait4 test_time test_pty test_faulthandler test_mmap test_signal "
    "test_threading test_subprocess test_concurrent_futures test_multiprocessing_fork "
    "test_multiprocessing_spawn test_largefile test_zipfile test_tarfile test_mailbox "
    "test_selectors test_venv"
)
QUICK = _QUICK_NAMES.split()
"""What takes less than 10 seconds inside, all together half a minute; `make test` runs these."""
MODULES = QUICK + _SLOW_NAMES.split()

TIME_LIMIT = 900.0
TIME_LIMITS = {
    "test_concurrent_futures": 1800.0,
    "test_multiprocessing_fork": 2400.0,
    "test_multiprocessing_spawn": 3600.0,
    "test_subprocess": 1800.0,
}
"""Seconds that one run of a module may take, natively or inside."""

NEED_TERMINAL = ("test_ioctl",)
"""Modules that are skipped without a controlling terminal; they get one."""

_IN_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


LEFT_OUT = ("test_clock_settime", "test_monotonic_settime")
"""Run by root, these set the clock of the machine."""


class MissingTests(Exception):
    """Python has no tests of its own here; the message names the package that has them."""


class Comparison:
    """How one module went natively and inside."""

    __slots__ = ("date", "inside", "module", "native", "seconds", "second_try", "timed_out")

    def __init__(self, module: str, native: dict[str, str], inside: dict[str, str]) -> None:
        self.module = module
        self.native = native
        self.inside = inside
        self.second_try: list[str] = []
        self.seconds = (0.0, 0.0)
        self.timed_out = False
        self.date = datetime.date.today().isoformat()

    @property
    def native_passes(self) -> list[str]:
        """The ids of the tests that pass natively."""
        return [test for test, result in self.native.items() if result == OK]

    @property
    def inside_passes(self) -> list[str]:
        """Of those, the ids of the tests that pass inside, at the second try if need be."""
        return [test for test in self.native_passes if self.inside.get(test) == OK]

    @property
    def differences(self) -> dict[str, str]:
        """Tests that pass natively → how they end inside, where that is not `ok`."""
        passes = set(self.inside_passes)
        return {
            test: self.inside.get(test, NO_RESULT)
            for test in self.native_passes
            if test not in passes
        }

    @property
    def unexplained(self) -> dict[str, str]:
        """The differences that exceptions.toml does not list."""
        return {test: how for test, how in self.differences.items() if test not in exceptions()}

    @property
    def line(self) -> str:
        """The comparison in one line, for who watches."""
        times = f"{self.seconds[0]:.0f} s and {self.seconds[1]:.0f} s"
        counts = f"{len(self.native_passes)} pass natively, {len(self.inside_passes)} inside"
        late = f", {len(self.second_try)} of them at the second try" if self.second_try else ""
        return f"{self.module}: {counts}{late} ({times})"

    def as_json(self) -> dict[str, Any]:
        """All of it, for json."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Comparison":
        """What `as_json` gave."""
        comparison = cls(kept["module"], kept["native"], kept["inside"])
        for name in cls.__slots__:
            setattr(comparison, name, kept[name])
        return comparison


@functools.cache
def check_installed() -> str:
    """The version of Python whose tests these are; raises `MissingTests`."""
    command = [PYTHON, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    probe = subprocess.run([PYTHON, "-c", "import test.test_sched"], capture_output=True)
    if probe.returncode != 0:
        package = f"libpython{version.rpartition('.')[0]}-testsuite"
        raise MissingTests(f"missing: CPython's own tests; on Debian: apt-get install {package}")
    return version


def _run(module: str, where: str, only: Sequence[str] = ()) -> Finished:
    chosen = [word for test in only for word in ("--match", test)]
    chosen += [word for test in LEFT_OUT for word in ("--ignore", test)]
    command: list[Any] = [PYTHON, "-m", "test", "-v", *chosen, module]
    if module in NEED_TERMINAL:
        command = [PYTHON, "-c", _IN_TERMINAL, *command]
    if where == "inside":
        command = sandbox.command(command, same_user())
    limit = TIME_LIMITS.get(module, TIME_LIMIT)
    with tempfile.TemporaryDirectory(prefix="conformance-") as directory:
        finished = run(command, cwd=Path(directory), env=environment(), timeout=limit)
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"{module}.{where}{'-again' if only else ''}"
    kept.write_bytes(finished.stdout + finished.stderr)
    return finished


def _results(finished: Finished) -> dict[str, str]:
    return results(finished.stdout.decode(errors="backslashreplace"))


def compare(module: str) -> Comparison:
    """Run a module natively, then inside, then once more what differs."""
    check_installed()
    native = _run(module, "native")
    inside = _run(module, "inside")
    comparison = Comparison(module, _results(native), _results(inside))
    comparison.seconds = (native.seconds, inside.seconds)
    comparison.timed_out = native.timed_out or inside.timed_out
    differing = list(comparison.unexplained)
    if differing and not inside.timed_out:
        again = _results(_run(module, "inside", differing))
        comparison.second_try = [test for test in differing if again.get(test) == OK]
        comparison.inside.update(dict.fromkeys(comparison.second_try, OK))
    (KEPT / f"{module}.json").write_text(json.dumps(comparison.as_json(), indent=1))
    return comparison


def kept_comparisons() -> list[Comparison]:
    """The last result of every module that has one, in the order of `MODULES`."""
    paths = [KEPT / f"{module}.json" for module in MODULES]
    return [Comparison.from_json(json.loads(path.read_text())) for path in paths if path.exists()]
