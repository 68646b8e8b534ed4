"""What a run of a program left behind, and how two runs differ."""

import difflib
import hashlib
import os
import signal
import stat
from pathlib import Path

from harness.processes import Finished

SHOWN = 40
"""Lines of a difference that a failing test prints."""


class Outcome:
    """Exit status as a shell reports it, both outputs, and the files of the run's directory."""

    __slots__ = ("files", "leaked", "seconds", "status", "stderr", "stdout", "timed_out")

    def __init__(self, finished: Finished, files: dict[str, str] | None = None) -> None:
        # `runsc-py run` exits with 128+n for a signal; natively the parent sees the signal.
        self.status = finished.status if finished.status >= 0 else 128 - finished.status
        self.stdout = finished.stdout
        self.stderr = finished.stderr
        self.timed_out = finished.timed_out
        self.leaked = finished.leaked
        self.seconds = finished.seconds
        self.files = files or {}

    @property
    def text(self) -> str:
        """Standard output, decoded."""
        return self.stdout.decode(errors="backslashreplace")

    def summary(self) -> str:
        """All of it for a person, shortened."""
        lines = [f"status: {describe_status(self.status)}, {self.seconds:.2f} s"]
        if self.timed_out:
            lines.append("killed at the time limit")
        for title, data in (("stdout", self.stdout), ("stderr", self.stderr)):
            lines += [f"{title}:", *(f"    {line}" for line in _lines(data)[-SHOWN:])]
        return "\n".join(lines)


def describe_status(status: int) -> str:
    """An exit status, with the signal it stands for."""
    if status > 128:
        try:
            return f"{status} ({signal.Signals(status - 128).name})"
        except ValueError:
            return str(status)
    return str(status)


def _lines(data: bytes) -> list[str]:
    return data.decode(errors="backslashreplace").splitlines()


def _difference(title: str, native: list[str], inside: list[str]) -> list[str]:
    if native == inside:
        return []
    shown = list(
        difflib.unified_diff(native, inside, f"{title} native", f"{title} inside", lineterm="", n=2)
    )
    return shown[:SHOWN] + ["…"] * (len(shown) > SHOWN)


def differences(native: Outcome, inside: Outcome, *, stderr: bool = True) -> str:
    """What tells `inside` from `native`, as text; empty when nothing does."""
    report: list[str] = []
    if inside.timed_out:
        report.append(f"inside: killed at the time limit, after {inside.seconds:.0f} s")
    if native.status != inside.status:
        report.append(
            f"status: native {describe_status(native.status)}, "
            f"inside {describe_status(inside.status)}"
        )
    report += _difference("stdout", _lines(native.stdout), _lines(inside.stdout))
    if not report and native.stdout != inside.stdout:
        report.append("stdout differs in its line ends or in bytes that are not text")
    if stderr:
        report += _difference("stderr", _lines(native.stderr), _lines(inside.stderr))
    elif report:
        report += ["stderr inside:", *_lines(inside.stderr)[-SHOWN:]]
    report += _difference("files", _file_lines(native), _file_lines(inside))
    if inside.leaked:
        report += ["processes left behind:", *inside.leaked]
    return "\n".join(report)


def _file_lines(outcome: Outcome) -> list[str]:
    return [f"{path}: {what}" for path, what in sorted(outcome.files.items())]


BLOCK = 1 << 16
ZEROS = bytes(BLOCK)


def _digest(path: Path) -> str:
    """Of the content; what is zero counts the same whether it is a hole or written."""
    found = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            position = 0
            while (position := _next_data(file.fileno(), position)) >= 0:
                position -= position % BLOCK
                block = os.pread(file.fileno(), BLOCK, position)
                if block != ZEROS[: len(block)]:
                    found.update(b"%d:" % position + block)
                position += BLOCK
    except PermissionError:  # a guest took its own right to read away
        return "unreadable"
    return found.hexdigest()[:16]


def _next_data(descriptor: int, position: int) -> int:
    """Where data begins at or behind `position`; negative behind the last."""
    try:
        return os.lseek(descriptor, position, os.SEEK_DATA)
    except OSError:
        return -1


def snapshot(directory: Path) -> dict[str, str]:
    """Every file below `directory`: its type, permissions and content, without times."""
    files: dict[str, str] = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        what = stat.filemode(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            what += f" -> {path.readlink()}"
        elif stat.S_ISREG(status.st_mode):
            what += f" {status.st_size} bytes, sha256 {_digest(path)}"
        files[str(path.relative_to(directory))] = what
    return files
