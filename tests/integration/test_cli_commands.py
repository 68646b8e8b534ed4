"""The commands around `run`: syscalls, completion, doctor, version."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness.processes import Finished, run
from harness.sandbox import EXECUTABLE
from runsc_py.runsc.cli import COMMANDS, CONTAINER_COMMANDS


def runsc(*words: str) -> Finished:
    """`runsc-py …`"""
    return run([EXECUTABLE, *words], cwd=Path("/"), timeout=60)


@pytest.mark.parametrize("words", [["version"], ["--version"], ["-V"], ["--debug", "--version"]])
def test_version(words: list[str]) -> None:
    """That of the distribution."""
    from importlib.metadata import version

    finished = runsc(*words)
    assert finished.stdout.decode() == f"runsc-py version {version('runsc-py')}\nspec: 1.2.0\n"


def test_syscalls() -> None:
    """A line a call, and the sums."""
    lines = runsc("syscalls").stdout.decode().splitlines()
    assert lines[0].split() == ["0", "read", "full"]
    assert len(lines) > 350
    assert lines[-1].endswith("unsupported")
    assert runsc("syscalls", "read", "nonsense").status == 125


def test_syscalls_as_json() -> None:
    """With arguments, for programs."""
    document = json.loads(runsc("syscalls", "--json", "read").stdout)
    call = {"number": 0, "name": "read", "support": "full", "note": ""}
    call["arguments"] = ["fd", "buffer", "count"]  # type: ignore[assignment]
    assert document == {"version": 1, "syscalls": [call]}
    levels = json.loads(runsc("syscalls", "--json", "--support", "partial").stdout)
    assert {entry["support"] for entry in levels["syscalls"]} == {"partial"}


def test_syscalls_into_a_closed_pipe() -> None:
    """`runsc-py syscalls | head -1` prints no traceback."""
    script = f"{EXECUTABLE} syscalls | head -n 1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
    assert (done.stdout.count(b"\n"), done.stderr) == (1, b"")


def test_doctor() -> None:
    """This host can run programs, or no test here could."""
    finished = runsc("doctor")
    assert finished.status == 0
    assert b"ok      ptrace platform" in finished.stdout
    document = json.loads(runsc("doctor", "--json").stdout)
    assert document["version"] == 1 and document["works"] is True
    names = {check["name"] for check in document["checks"]}
    walls = {"filters", "landlock", "own namespaces", "user namespaces"}
    assert {"ptrace platform", "gofer"} | walls <= names
    for check in document["checks"]:
        assert check.keys() == {"name", "needed", "works", "detail", "remedy"}


def test_doctor_names_what_is_missing() -> None:
    """Where descriptors are scarce, it says what to do."""
    script = f"ulimit -n 200; {EXECUTABLE} doctor"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
    assert done.returncode == 125
    assert b"MISSING descriptors: 200 at most; raise `ulimit -Hn`" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_of_that_shell(shell: str) -> None:
    """It names every option that the help names, and the shell can parse it."""
    script = runsc("completion", shell).stdout.decode()
    for option in ("volume", "strace", "hostname", "timeout"):
        assert option in script
    assert "placement" not in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed; Debian's package is {shell}")
    subprocess.run([shell, "-n"], input=script.encode(), check=True, timeout=30)


COMPLETE = """
source <({executable} completion bash)
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_runsc_py
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["runsc-py", "comp"], ["completion"]),
        (["runsc-py", "run", "--host"], ["--hostname"]),
        (["runsc-py", "diff", "/etc/nsswit"], ["/etc/nsswitch.conf"]),
        (["runsc-py", "run", "--wall", "1", "--m"], ["--memory"]),
        (["runsc-py", "run", "--network", ""], ["none", "host"]),
        (["runsc-py", "run", "--rootfs", "/us"], ["/usr"]),
        (["runsc-py", "run", "--", "cat", "/etc/nsswit"], ["/etc/nsswitch.conf"]),
        (["runsc-py", "run", "cat", "/etc/nsswit"], ["/etc/nsswitch.conf"]),
        (["runsc-py", "completion", "z"], ["zsh"]),
        (["runsc-py", "doctor", "--j"], ["--json"]),
    ],
)
def test_bash_completes(words: list[str], expected: list[str]) -> None:
    """Commands, options, values, and the sandboxed command's own words."""
    quoted = " ".join(f"'{word}'" for word in words)
    script = COMPLETE.format(executable=EXECUTABLE, words=quoted)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    found = done.stdout.split()
    assert found[: len(expected)] == expected, done.stderr


def test_help() -> None:
    """An overview, what a command takes, platforms, system calls."""
    assert b"commands:" in runsc("help").stdout
    assert runsc("help", "kill").stdout == runsc("kill", "--help").stdout
    assert b"did you mean kill" in runsc("help", "kil").stderr
    assert b"systrap (not available)" in runsc("help", "platforms").stdout
    document = json.loads(runsc("help", "platforms", "--json").stdout)
    assert [one["name"] for one in document["platforms"] if one["available"]] == ["ptrace"]
    assert runsc("help", "syscalls", "read").stdout == runsc("syscalls", "read").stdout


def test_syscalls_as_csv(tmp_path: Path) -> None:
    """For a spreadsheet; also into a file."""
    import csv

    path = tmp_path / "calls.csv"
    finished = runsc("help", "syscalls", "--format", "csv", "--filename", str(path))
    assert (finished.status, finished.stdout) == (0, b"")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0].values()) == ["0", "read", "full", "fd buffer count", ""]
    assert len(rows) > 350
    assert runsc("syscalls", "--filename", "/nowhere/x").status == 125


@pytest.mark.parametrize("command", [name for name, _, _ in COMMANDS + CONTAINER_COMMANDS])
def test_wrong_option_of_every_command(command: str) -> None:
    """One line, and a status that is no program's success."""
    finished = runsc(command, "--nonsense")
    assert (finished.status, finished.stdout) == (1 if command == "bwrap" else 125, b"")
    text = finished.stderr.decode()
    assert "--nonsense" in text and text.count("\n") == 1 and "internal" not in text


def test_commands_that_only_gvisor_has() -> None:
    """Why they are not here."""
    finished = runsc("checkpoint", "x")
    assert finished.status == 125 and b"cannot be saved yet" in finished.stderr
