"""Directories of the host, written to: what is at the edges, and what the host refuses."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness import sandbox
from harness.differential import Command, Compare, Inside, environment, same_user
from harness.processes import Finished, descendants
from harness.processes import run as run_within
from harness.programs import PYTHON

LIMITS = Path(__file__).parent / "programs" / "volume_limits.py"
OPENED = 800
FULL = "file system is full"

FILL = """
import errno, os
def attempt(what, *arguments):
    try:
        return what(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
def fill(name):
    written = 0
    fd = os.open(name, os.O_WRONLY | os.O_CREAT, 0o600)
    while True:
        count = attempt(os.write, fd, b"x" * 5000)
        if type(count) is str:
            print(count, written)
            break
        written += count
    print(attempt(os.posix_fallocate, fd, 1 << 20, 1 << 20))
    return fd
fd = fill("first")
print(attempt(os.pwrite, fd, b"y" * 300_000, 0))
os.ftruncate(fd, 0)
print(os.write(fd, b"again"))
number = 0
while True:
    made = attempt(os.mkdir, f"directory{number}")
    if made:
        print(made, number)
        break
    number += 1
print(attempt(os.symlink, "x", "link"), attempt(os.mknod, "fifo", 0o10600))
print(attempt(os.open, "second", os.O_WRONLY | os.O_CREAT), attempt(os.link, "first", "linked"))
os.rename("first", "renamed")
os.rmdir("directory0")
print(attempt(os.symlink, "x", "link"), sorted(os.listdir("."))[-3:])
"""

MANY = f"""
import os
for number in range({OPENED}):
    with open(f"f{{number}}", "w+") as file:
        file.write("x")
held = [open(f"f{{number}}") for number in range({OPENED})]
print("opened", flush=True)
input()
for number, file in enumerate(held):
    file.close()
    os.unlink(f"f{{number}}")
print("closed", flush=True)
input()
"""


def run(command: Command, directory: Path) -> Finished:
    """A command's end, within a time that busy machines need."""
    return run_within(command, cwd=directory, env=environment(), timeout=110)


@pytest.fixture
def volume(workplace: Path) -> Path:
    """An empty directory of the host."""
    directory = workplace / "volume"
    directory.mkdir(parents=True)
    return directory


def mounted(volume: Path, words: str) -> list[str]:
    """The options that show a volume at its own place, and begin there."""
    return ["-v", f"{volume}:{volume}:{words}", "-w", str(volume), *same_user()]


@pytest.mark.parametrize("words", ["rw", "rw,exclusive"])
def test_edges(volume: Path, words: str) -> None:
    """Thousands of open files, files without a name, of gigabytes, with names that are no text."""
    command = [PYTHON, LIMITS, "600", "800"]
    native = run(command, volume)
    assert native.status == 0 and not list(volume.iterdir()), native.stderr
    inside = run(sandbox.command(command, mounted(volume, words)), volume)
    assert (inside.stdout, inside.stderr, inside.status) == (native.stdout, b"", 0)
    assert not list(volume.iterdir())


def test_edges_of_the_memory(compare: Compare) -> None:
    """The same in the overlay."""
    compare([PYTHON, LIMITS, "600", "800"], timeout=110)


@pytest.mark.parametrize("words", ["rw", "rw,exclusive"])
def test_a_full_file_system(volume: Path, words: str) -> None:
    """No space and no inodes: the host's errors, at the same byte, and room again afterwards."""
    program = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    script = f'mount -t tmpfs -o size=256k,nr_inodes=20 {FULL!r} {volume}; cd {volume}; exec "$@"'
    if run([*program, "exit 0"], volume).status:
        pytest.skip("user namespaces are not allowed here")
    guest = [PYTHON, "-c", FILL]
    options = ["-v", f"{volume}:{volume}:{words}", "-w", str(volume)]
    native = run([*program, script, "sh", *guest], volume)
    inside = run([*program, script, "sh", *sandbox.command(guest, options)], volume)
    assert native.status == 0, native.stderr
    assert (inside.stdout, inside.stderr, inside.status) == (native.stdout, b"", 0)


@contextmanager
def running(command: list[str | os.PathLike[str]]) -> Iterator[subprocess.Popen[bytes]]:
    """A program that waits for a line after each line it prints."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    )
    try:
        yield process
    finally:
        process.communicate(b"\n")


def most_descriptors() -> int:
    """Of all processes below us, how many files the one with the most has open."""
    counts = []
    for pid in descendants():
        try:
            counts.append(len(os.listdir(f"/proc/{pid}/fd")))
        except OSError:  # it has ended meanwhile
            continue
    return max(counts)


@pytest.mark.parametrize("words", ["rw", "rw,exclusive"])
def test_descriptors_are_given_back(volume: Path, words: str) -> None:
    """Of the gofer and of the sentry: as many as are open, and none when they are gone."""
    with running(sandbox.command([PYTHON, "-c", MANY], mounted(volume, words))) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"opened\n"
        assert OPENED <= most_descriptors() < OPENED + 700
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"closed\n"
        assert most_descriptors() < 700
    assert process.returncode == 0


def test_a_host_without_descriptors(volume: Path) -> None:
    """EMFILE for the guest, which goes on; the sandbox does, too."""
    guest = """
import errno, os
held = []
try:
    for number in range(1000):
        held.append(os.open(f"f{number}", os.O_RDWR | os.O_CREAT))
except OSError as error:
    print(errno.errorcode[error.errno])
made = len(held)
print(100 < made < 400)
for fd in held:
    os.write(fd, b"x")
    os.close(fd)
for number in range(made):
    with open(f"f{number}") as file:
        assert file.read() == "x"
    os.unlink(f"f{number}")
print(made - len(os.listdir(".")) in (made, made - 1))
"""

    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400))

    command = sandbox.command([PYTHON, "-c", guest], mounted(volume, "rw"))
    finished = subprocess.run(
        command, env=environment(), preexec_fn=few, capture_output=True, timeout=60, check=False
    )
    assert (finished.stdout, finished.stderr) == (b"EMFILE\nTrue\nTrue\n", b"")


def test_a_name_that_is_not_there_after_some_that_are(tmp_path: Path, inside: Inside) -> None:
    """The names of a directory are read ahead; one that is missing among them is ENOENT."""
    for number in range(12):
        (tmp_path / f"f{number}").touch()
    script = "cd /data; for f in f0 f1 f2 f3 f4 f5 f6 f7 f8 none f9; do test -e $f || echo $f; done"
    done = inside(["/bin/sh", "-c", script], options=["-v", f"{tmp_path}:/data:ro"])
    assert done.text == "none\n", done.summary()
