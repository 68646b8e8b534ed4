"""Hooks: what they are given, what becomes of what they do."""

import json
from pathlib import Path
from typing import Any

import pytest

from runsc_py.runsc.containers.hooks import (
    run_create_container_hooks,
    run_hooks,
    run_poststop_hooks,
)
from runsc_py.runsc.containers.record import ContainerRecord
from runsc_py.runsc.errors import RunscError

STATE = {"id": "a", "status": "creating", "pid": 17}


def container(bundle: Path, phase: str, *hooks: dict[str, Any]) -> ContainerRecord:
    """A record with hooks of one phase."""
    record = ContainerRecord("a", "a")
    record.bundle = str(bundle)
    root = bundle / "rootfs"
    root.mkdir(exist_ok=True)
    record.spec = {
        "hooks": {phase: list(hooks)},
        "root": {"path": str(root)},
        "process": {"env": ["INSIDE=1"]},
    }
    return record


def shell(script: str, **more: Any) -> dict[str, Any]:
    """A hook that runs a script."""
    return {"path": "/bin/sh", "args": ["sh", "-c", script], **more}


def test_what_a_hook_gets(tmp_path: Path) -> None:
    """The state, its own environment and nothing else, the bundle as its directory."""
    hook = shell("cat > state; pwd > place; env > environment", env=["A=1", "PATH=/bin"])
    run_hooks(container(tmp_path, "createRuntime", hook), "createRuntime", STATE)
    assert json.loads((tmp_path / "state").read_text()) == STATE
    assert (tmp_path / "place").read_text() == f"{tmp_path}\n"
    lines = (tmp_path / "environment").read_text().splitlines()
    assert {line for line in lines if not line.startswith("PWD=")} == {"A=1", "PATH=/bin"}


def test_without_an_environment_it_has_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As runc has it: nothing said is not an empty list."""
    monkeypatch.setenv("OURS", "yes")
    record = container(tmp_path, "poststart", shell('echo "$OURS" >> seen'))
    run_hooks(record, "poststart", STATE)
    record.hooks("poststart")[0]["env"] = []
    run_hooks(record, "poststart", STATE)
    assert (tmp_path / "seen").read_text() == "yes\n\n"


def test_order_and_other_phases(tmp_path: Path) -> None:
    """One after the other; those of another phase are not run."""
    record = container(tmp_path, "prestart", *(shell(f"echo {n} >> seen") for n in range(3)))
    run_hooks(record, "poststart", STATE)
    assert not (tmp_path / "seen").exists()
    run_hooks(record, "prestart", STATE)
    assert (tmp_path / "seen").read_text() == "0\n1\n2\n"


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        (shell("echo why; echo also >&2; exit 3"), "exit status 3, output: 'why\\nalso'"),
        (shell("kill -9 $$"), "signal: killed"),
        ({"path": "/nowhere/hook"}, "/nowhere/hook: No such file or directory"),
        ({"path": "/etc/passwd"}, "/etc/passwd: Permission denied"),
        (shell("sleep 600", timeout=1), "hook ran past specified timeout of 1.0s"),
    ],
    ids=["status", "signal", "missing", "no program", "timeout"],
)
def test_failures(tmp_path: Path, hook: dict[str, Any], words: str) -> None:
    """Which hook, and why; those after it are not run."""
    record = container(
        tmp_path, "createRuntime", shell("exit 0"), hook, shell("touch after; exit 0")
    )
    with pytest.raises(RunscError) as caught:
        run_hooks(record, "createRuntime", STATE)
    assert str(caught.value).startswith("error running createRuntime hook #1: ")
    assert words in str(caught.value)
    assert not (tmp_path / "after").exists()


def test_poststop_hooks_all_run(tmp_path: Path) -> None:
    """The container is gone: a failure is told and changes nothing."""
    record = container(tmp_path, "poststop", shell("exit 1"), shell("touch after"))
    assert run_poststop_hooks(record, STATE) == [
        "error running poststop hook #0: /bin/sh: exit status 1, output: ''"
    ]
    assert (tmp_path / "after").exists()


def test_create_container_hooks(tmp_path: Path) -> None:
    """In the root directory, with the process's environment, and mounts of their own."""
    hook = shell('cat > ../state; echo "$INSIDE" > ../env; pwd > ../place')
    run_create_container_hooks(container(tmp_path, "createContainer", hook), STATE)
    assert json.loads((tmp_path / "state").read_text()) == {**STATE, "pid": 1}
    assert (tmp_path / "env").read_text() == "1\n"
    assert (tmp_path / "place").read_text() == f"{tmp_path}/rootfs\n"


def test_a_hook_that_does_not_read(tmp_path: Path) -> None:
    """Its standard input may be closed before the state is written."""
    big = {**STATE, "annotations": {"a": "x" * (1 << 20)}}
    run_hooks(container(tmp_path, "prestart", shell("exec <&-; exit 0")), "prestart", big)
