"""Where logs go: --debug-log with its format and commands, --user-log, --alsologtostderr."""

import json
import os

import pytest

from harness.containers import BUSYBOX, Engine

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")


def run(engine: Engine, *words: str) -> str:
    """A container that does one thing; what `run` said on standard error."""
    bundle = engine.bundle("/bin/sh", "-c", "echo x >/dev/null; busybox true")
    done = engine("run", "--bundle", bundle, *words, "a")
    assert done.returncode == 0, done.stderr
    return done.stderr


def logged(engine: Engine) -> set[str]:
    """The commands that a file below logs/ was made for."""
    folder = engine.folder / "logs"
    return {name.rpartition(".")[0] for name in os.listdir(folder)} if folder.exists() else set()


@pytest.mark.parametrize(
    ("commands", "wanted"),
    [
        ("", {"run", "sandbox", "list"}),
        ("run,list", {"run", "list"}),
        ("!boot,list", {"run"}),
        ("sandbox", {"sandbox"}),
        ("kill", set()),
    ],
)
def test_commands(engine: Engine, commands: str, wanted: set[str]) -> None:
    """A file for each command, of those that are wanted."""
    bundle = engine.bundle("/bin/busybox", "true")
    engine.options = ["--debug-log", f"{engine.folder}/logs/%COMMAND%.%ID%"]
    if commands:
        engine.options += ["--debug-command", commands]
    assert engine("run", "--bundle", bundle, "a").returncode == 0
    assert engine("list").returncode == 0
    assert logged(engine) == wanted


def test_unknown_command(engine: Engine) -> None:
    """A word that is none would never match."""
    done = engine("--debug-command", "creat", "list")
    assert done.returncode == 125 and "--debug-command 'creat': no command" in done.stderr


@pytest.mark.parametrize("line_format", ["text", "json", "json-k8s"])
def test_format(engine: Engine, line_format: str) -> None:
    """Every line, those of a trace too."""
    log = engine.folder / "sandbox.log"
    engine.options = ["--debug-log", str(log), "--debug-log-format", line_format, "--strace"]
    engine.options += ["--debug-command", "sandbox"]
    run(engine)
    lines = log.read_text().splitlines()
    if line_format == "text":
        assert any("runsc-py: debug: EXEC" in line for line in lines)
        assert any(line.endswith("= ?") and "exit_group(0)" in line for line in lines)
        return
    entries = [json.loads(line) for line in lines]
    messages = [entry["msg" if line_format == "json" else "log"] for entry in entries]
    assert any("EXEC" in message for message in messages)
    assert any("exit_group(0)" in message for message in messages)
    assert {entry["level"] for entry in entries} <= {"debug", "info", "warning", "error"}


@pytest.mark.parametrize("everything", [False, True])
def test_user_log(engine: Engine, everything: bool) -> None:
    """What a program misses; what the sandbox does only when that is asked for."""
    engine.options = [f"--debug-to-user-log={str(everything).lower()}"]
    path = engine.folder / "user.log"
    run(engine, "--user-log", str(path))
    content = path.read_text()
    assert "unsupported system call" in content
    assert ("EXEC" in content) is everything
    engine.options = []
    refused = engine("create", "--user-log", "/nowhere/x/y", "--bundle", engine.folder, "b")
    assert refused.returncode == 125


def test_standard_error(engine: Engine) -> None:
    """Of the command, and of the sandbox that it waits for."""
    engine.options = ["--alsologtostderr", "--debug"]
    shown = run(engine)
    assert "run: containers are recorded in" in shown and "sandbox a: EXEC" in shown
    engine.options = ["--debug"]
    assert "EXEC" not in run(engine)
    assert "sandbox a: EXEC" in engine.log.read_text()
