"""Our trace of a program beside the one of Debian's strace."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.compiler import compile_c
from harness.sandbox import command

STRACE = shutil.which("strace")
#: Debian 12's: others write a few things in another way
VERSION = "6.1"

#: what is another number in every run
VARYING = (
    (re.compile(r" <\d+\.\d+>$"), ""),
    (re.compile(r"0x[0-9a-f]{6,}"), "ADDRESS"),
    (re.compile(r" +="), " ="),
    (re.compile(r"stx_mask=[A-Z_|]+"), "stx_mask"),
    (re.compile(r"left \{.*\}\)"), "left"),
)


def normalised(text: str) -> list[str]:
    """The lines from the first getppid on, without addresses, durations and padding."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("getppid"))
    result = []
    for line in lines[first + 1 :]:
        for pattern, replacement in VARYING:
            line = pattern.sub(replacement, line)
        result.append(line)
    return result


@pytest.fixture(scope="module")
def program() -> Path:
    return compile_c(Path(__file__).parent / "calls.c")


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_same_lines_as_strace(program: Path, tmp_path: Path, native_only: bool) -> None:
    assert STRACE is not None
    if native_only:
        pytest.skip("nothing to compare")
    banner = subprocess.run([STRACE, "--version"], capture_output=True, text=True, timeout=60)
    if f"version {VERSION}" not in banner.stdout:
        pytest.skip(f"strace {VERSION} is what the notation is compared with")
    native, inside = tmp_path / "native", tmp_path / "inside"
    traces = tmp_path / "native.trace", tmp_path / "inside.trace"
    for directory in (native, inside):
        directory.mkdir()
    theirs = subprocess.run(
        [STRACE, "-T", "-o", traces[0], program], cwd=native, stdin=subprocess.DEVNULL, timeout=60
    )
    if theirs.returncode == 1:
        pytest.skip("strace may not trace here")
    options = (f"--strace={traces[1]}",)
    ours = subprocess.run(
        command([program], options), cwd=inside, stdin=subprocess.DEVNULL, timeout=60
    )
    assert ours.returncode == theirs.returncode == 3
    assert normalised(traces[1].read_text()) == normalised(traces[0].read_text())
