"""Kernel.CreateProcess, through the processes that `exec` adds and containers that start.

The numbers are those of the steps: 4 working directory, 7 which program, 8 loading it, 11 limits,
13 what is taken back.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.pod import ROOT, SLEEP, Pod

PREPARE = r"""
mkdir -p /made/closed /made/denied; chmod 700 /made/closed
printf '#!/bin/sh\necho script $*\n' > /made/script
printf '#!/made/script one\n' > /made/second
printf '#!/missing/interpreter\n' > /made/orphan
printf '#!/made/loop\n' > /made/loop
printf 'neither\n' > /made/text
: > /made/empty
cp /made/script /made/denied/tool
ln -s script /made/link
ln -s circle /made/circle
mkfifo /made/fifo
chmod 755 /made/script /made/second /made/orphan /made/loop /made/text /made/empty /made/fifo
"""


@pytest.fixture(scope="module")
def made(pod: Pod) -> Iterator[Pod]:
    """A root container with programs of every kind in /made."""
    prepared = pod("exec", ROOT, "sh", "-c", PREPARE)
    assert prepared.status == 0, prepared
    yield pod


@pytest.mark.parametrize("directory", ["/made", "/made/closed", "/"])
def test_step_4_directory(made: Pod, directory: str) -> None:
    """Also one that the user may not search, as runc has it."""
    shown = made("exec", "--user", "1000:1000", "--cwd", directory, ROOT, "pwd")
    assert (shown.status, shown.stdout) == (0, directory + "\n")


@pytest.mark.parametrize(
    ("directory", "reason"),
    [
        ("/missing", "No such file"),
        ("/made/script", "Not a directory"),
        ("/made/circle", "Too many"),
    ],
)
def test_step_4_directory_that_is_none(made: Pod, directory: str, reason: str) -> None:
    """A file is refused here; gVisor starts in it."""
    refused = made("exec", "--cwd", directory, ROOT, "pwd")
    assert refused.status != 0
    assert f'failed to find initial working directory "{directory}"' in refused.stderr
    assert reason in refused.stderr


def test_step_7_a_link_is_followed(made: Pod) -> None:
    """The program is what it leads to; its name is the link's."""
    assert made("exec", ROOT, "/made/link", "a").stdout == "script a\n"


def test_step_7_a_relative_name_begins_at_the_directory(made: Pod) -> None:
    """It is not looked for in PATH."""
    assert made("exec", "--cwd", "/made", ROOT, "./script", "b").stdout == "script b\n"
    refused = made("exec", "--cwd", "/", ROOT, "./script")
    assert refused.status == 127


def test_step_7_path_is_searched_in_order(made: Pod) -> None:
    """Relative directories are left out, missing ones passed over."""
    path = "PATH=made:/missing:/made/script:/made"
    assert made("exec", "--env", path, ROOT, "script", "c").stdout == "script c\n"
    refused = made("exec", "--env", "PATH=made:.", "--cwd", "/made", ROOT, "script")
    assert refused.status == 127 and "executable file not found in $PATH" in refused.stderr


def test_step_7_permission_denied_is_remembered(made: Pod) -> None:
    """The search goes on; when nothing is found that is the reason."""
    found = made("exec", "--env", "PATH=/made/denied:/made", ROOT, "script", "d")
    assert found.stdout == "script d\n"
    refused = made("exec", "--env", "PATH=/made/denied:/missing", ROOT, "tool")
    assert refused.status == 126 and "Permission denied" in refused.stderr


@pytest.mark.parametrize(
    ("program", "status", "reason"),
    [
        ("/made/missing", 127, "No such file or directory"),
        ("/made/script/below", 127, "Not a directory"),
        ("/made/orphan", 127, "No such file or directory"),
        ("/made", 126, "Permission denied"),
        ("/made/denied/tool", 126, "Permission denied"),
        ("/made/fifo", 126, "Permission denied"),
        ("/dev/null", 126, "Permission denied"),
        ("/made/loop", 125, "Too many levels of symbolic links"),
        ("/made/circle", 125, "Too many levels of symbolic links"),
        ("/made/text", 125, "Exec format error"),
        ("/made/empty", 125, "Exec format error"),
    ],
)
def test_step_8_what_cannot_be_loaded(made: Pod, program: str, status: int, reason: str) -> None:
    """The errno decides about the status that clients look at."""
    refused = made("exec", ROOT, program)
    assert (refused.status, reason in refused.stderr) == (status, True), refused


def test_step_8_interpreters_of_interpreters(made: Pod) -> None:
    """The words of each are put before those of the next."""
    assert made("exec", ROOT, "/made/second", "e").stdout == "script one /made/second e\n"


def test_step_8_the_name_of_the_process(made: Pod) -> None:
    """The last part of the path, cut to fifteen bytes."""
    shown = made("exec", ROOT, "sh", "-c", "cat /proc/$$/comm; :")
    assert shown.stdout == "sh\n"


def test_step_11_processes_of_the_sandbox(empty: Pod) -> None:
    """The limit of the specification counts every container's."""
    changes = {"linux": {"resources": {"pids": {"limit": 3}}}}
    empty.running(ROOT, SLEEP, changes)
    for _ in range(2):
        assert empty("exec", "--detach", ROOT, *SLEEP).status == 0
    refused = empty("exec", ROOT, "true")
    assert refused.status != 0 and "too many processes" in refused.stderr


def test_step_11_processes_of_the_user(made: Pod) -> None:
    """RLIMIT_NPROC holds for whoever is not privileged."""
    process = made.folder / "process.json"
    process.write_text(
        '{"cwd": "/", "args": ["sleep", "600"], "env": ["PATH=/bin"],'
        ' "user": {"uid": 4321, "gid": 0},'
        ' "rlimits": [{"type": "RLIMIT_NPROC", "soft": 1, "hard": 1}]}'
    )
    words: tuple[str | Path, ...] = ("exec", "--detach", "--process", process, ROOT)
    assert made(*words).status == 0
    refused = made(*words)
    assert refused.status != 0 and "too many processes of the user" in refused.stderr


def test_step_11_what_failed_takes_no_number(made: Pod) -> None:
    """The program is loaded before there is a task."""
    show = ("exec", ROOT, "sh", "-c", "echo $$")
    before = int(made(*show).stdout)
    for program in ("/made/text", "/made/loop", "/made/missing", "/made"):
        assert made("exec", ROOT, program).status != 0
    assert int(made(*show).stdout) == before + 1


def test_step_13_what_failed_leaves_no_process_and_no_descriptor(made: Pod) -> None:
    """Whatever it failed at, many times over."""
    programs = ("/made/text", "/made/missing", "/made/loop")

    def fail() -> None:
        for program in programs:
            assert made("exec", ROOT, program).status != 0

    fail()  # a file that was looked at once stays open
    with made.client() as client:
        processes, before = len(client.processes("")), made.descriptors()
    for _ in range(10):
        fail()
    with made.client() as client:
        assert len(client.processes("")) == processes
        made.closed(before)
