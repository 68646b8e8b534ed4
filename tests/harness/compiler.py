"""C guest programs: compiled once, kept in build/guests by a hash of all that matters."""

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
GUEST_HEADERS = REPOSITORY / "tests" / "syscalls"
# Guests pass wrong sizes and addresses on purpose.
QUIET = ("stringop-overflow", "stringop-overread", "nonnull", "array-bounds", "unused-result")
FLAGS = ("-std=gnu17", "-O1", "-Wall", "-Wextra", "-Werror", *(f"-Wno-{name}" for name in QUIET))


class CompilationFailed(Exception):
    """The compiler's own words."""


@functools.cache
def _version(compiler: str) -> bytes:
    return subprocess.run([compiler, "--version"], check=True, capture_output=True).stdout


def _cache() -> Path:
    chosen = os.environ.get("RUNSC_PY_GUESTS")
    return Path(chosen) if chosen else REPOSITORY / "build" / "guests"


def compile_c(source: Path, flags: Sequence[str] = ()) -> Path:
    """The program of a C source; compiled when no program of the same content is kept."""
    compiler = shutil.which(os.environ.get("CC", "gcc")) or "gcc"
    digest = hashlib.sha256(_version(compiler))
    digest.update(repr((FLAGS, tuple(flags))).encode())
    headers = (*GUEST_HEADERS.glob("*.h"), *source.parent.glob("*.h"))
    for path in (source, *sorted(headers)):
        digest.update(path.read_bytes())
    program = _cache() / f"{source.stem}-{digest.hexdigest()[:16]}"
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as scratch:
        made = Path(scratch) / source.stem
        paths = [f"-I{GUEST_HEADERS}", "-o", str(made), str(source)]
        command = [compiler, "-D_GNU_SOURCE", *FLAGS, *paths, *flags]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise CompilationFailed(done.stderr)
        made.rename(program)  # atomically: another worker may want the same
    return program
