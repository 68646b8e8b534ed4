"""Options and fixtures of all tests. The test machinery itself is in tests/harness."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from harness.differential import Case, Command, Compare, Find, Inside, Prepare, same_user
from harness.outcome import Outcome, differences
from harness.processes import become_subreaper

# `make test` asks the same questions at every run: what it finds, the next commit finds as well.
# New questions are for HYPOTHESIS_PROFILE=explore, which has time and somebody who reads.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--native-only` is for writing guest programs: it leaves the sandbox out."""
    parser.addoption(
        "--native-only", action="store_true", help="run guest programs natively, not in the sandbox"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Adopt whatever a test leaves behind, so that it can be found."""
    become_subreaper()
    # Signals that whoever started us ignores (nohup, a shell's background job) would be ignored by
    # every program that a test starts.
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # A guest gets what a test gives it, not what the developer's shell had.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture
def native_only(request: pytest.FixtureRequest) -> bool:
    """Whether the sandbox is left out of this session."""
    return bool(request.config.getoption("--native-only"))


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """The directory in which programs run, the same path natively and inside."""
    return tmp_path / "work"


@pytest.fixture
def inside(workplace: Path, native_only: bool) -> Inside:
    """Run a command inside only: for what describes the machine and so must differ."""
    if native_only:
        pytest.skip("the sandbox is left out")

    def run(command: Command, *, timeout: float = 60.0, **settings: Any) -> Outcome:
        outcome = Case(command, workplace, timeout=timeout, **settings).inside()
        assert not outcome.timed_out and not outcome.leaked, outcome.summary()
        return outcome

    return run


@pytest.fixture
def compare(workplace: Path, native_only: bool) -> Compare:
    """Run a command natively and inside and compare status, output and, if asked, files.

    Returns the native outcome, for what a test wants to say about the values.
    """

    def run(
        command: Command,
        *,
        status: int = 0,
        stderr: bool = True,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
        timeout: float = 60.0,
        prepare: Prepare | None = None,
        files: bool = False,
        options: tuple[str, ...] = (),
    ) -> Outcome:
        case = Case(
            command,
            workplace,
            stdin=stdin,
            env=env,
            timeout=timeout,
            prepare=prepare,
            compare_files=files,
            options=options,
        )
        native = case.native()
        assert native.status == status and not native.timed_out, f"natively\n{native.summary()}"
        if not native_only:
            found = differences(native, case.inside(same_user()), stderr=stderr)
            if found:
                pytest.fail(found, pytrace=False)
        return native

    return run


@pytest.fixture
def program() -> Find:
    """Find a program, or skip the test with the name of the Debian package that has it."""

    def find(name: str, package: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is not installed; Debian's package is {package}")
        return path

    return find
