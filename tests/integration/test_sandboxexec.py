"""`sandboxexec`: gVisor's SandboxOptions as JSON."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.processes import Finished, run
from harness.sandbox import EXECUTABLE

PROGRAMS = [
    {"target": path, "host_mount": {"host_path": path}}
    for path in ("/bin", "/lib", "/lib64", "/usr")
    if os.path.exists(path)
]


def call(folder: Path, options: dict[str, Any], *words: str) -> Finished:
    """`runsc-py sandboxexec --options FILE -- WORDS`"""
    path = folder / "options.json"
    path.write_text(json.dumps(options))
    command = [EXECUTABLE, "sandboxexec", "--options", path, "--", *words]
    return run(command, cwd=folder, timeout=60, env={"PATH": "/usr/bin:/bin", "KEPT": "kept"})


def test_mounts(tmp_path: Path) -> None:
    """Host directories below an overlay, passed through, and memory; nothing else is there."""
    for name in ("overlaid", "passed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(f"{name}\n")
    options = {
        "mounts": [
            *PROGRAMS,
            {"target": "/a", "hostMount": {"hostPath": str(tmp_path / "overlaid")}},
            {
                "target": "/b",
                "host_mount": {
                    "host_path": str(tmp_path / "passed"), "options": {"passthrough": True},
                },
            },
            {"target": "/c", "sandbox_tmpfs_mount": {}},
        ],
        "startTimeoutMs": "5000",
    }  # fmt: skip
    script = "cat /a/file /b/file; for d in a b c; do echo new > /$d/new; cat /$d/new; done; "
    script += "ls / /home; pwd; id -u; exit 4"
    done = call(tmp_path, options, "/bin/sh", "-c", script)
    assert done.status == 4
    lines = done.stdout.decode().splitlines()
    assert lines[:5] == ["overlaid", "passed", "new", "new", "new"]
    assert lines[-2:] == ["/", "0"]
    assert {"a", "b", "c", "dev", "proc", "sys", "tmp"} <= set(lines) and "etc" not in lines
    assert b"/home" in done.stderr
    assert not (tmp_path / "overlaid" / "new").exists()
    assert (tmp_path / "passed" / "new").read_text() == "new\n"


def test_environment_and_output(tmp_path: Path) -> None:
    """Nothing but what is named; output into files."""
    options = {
        "mounts": PROGRAMS,
        "env_vars": [
            {"name": "KEPT", "policy": "ENV_VAR_POLICY_FORWARD"},
            {"name": "MISSING", "policy": "ENV_VAR_POLICY_FORWARD"},
            {"name": "SET", "value": "a b"},
            {"name": "UNSET", "value": "x"},
            {"name": "UNSET", "policy": "ENV_VAR_POLICY_UNSET"},
        ],
        "stdout_file": str(tmp_path / "out"),
        "stderr_file": str(tmp_path / "err"),
        "debug_options": {"debug_log_file": str(tmp_path / "log"), "enable_debug_logs": "1"},
    }
    done = call(tmp_path, options, "/usr/bin/env")
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    variables = set((tmp_path / "out").read_text().splitlines())
    assert variables == {"KEPT=kept", "SET=a b", "PWD=/"}
    assert (tmp_path / "err").read_text() == "" and (tmp_path / "log").exists()


def test_network(tmp_path: Path) -> None:
    """A loopback interface only unless asked for."""
    script = "tail -n +3 /proc/net/dev | wc -l"
    done = call(tmp_path, {"mounts": PROGRAMS}, "/bin/sh", "-c", script)
    assert done.stdout == b"1\n", done.stderr
    outside = {"mounts": PROGRAMS, "networking_options": {"enable_external_networking": True}}
    assert call(tmp_path, outside, "/bin/true").status == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"mount": []}, "unknown option 'mount'"),
        ({"mounts": [{"target": "x", "sandbox_tmpfs_mount": {}}]}, "absolute path"),
        ({"mounts": [{"target": "/x"}]}, "host_mount or sandbox_tmpfs_mount expected"),
        ({"mounts": [{"target": "/x", "host_mount": {"host_path": "/no"}}]}, "no path of a file"),
        ({"mounts": {}}, "list expected"),
        ({"env_vars": [{"name": "A"}]}, "a value or a policy"),
        ({"env_vars": [{"name": "A", "policy": "X"}]}, "unknown policy"),
        ({"networking_options": {"domain_allowlist": ["a"]}}, "not possible"),
        ({"networking_options": {"port_mappings": [{}]}}, "not possible"),
        ({"terminal": True}, "not a terminal"),
        ({"start_timeout_ms": 0}, "positive"),
        ({"stdout_file": "/nowhere/x"}, "No such file"),
    ],
)
def test_wrong_options(options: dict[str, Any], reason: str, tmp_path: Path) -> None:
    """One line that names the place."""
    done = call(tmp_path, options, "/bin/true")
    text = done.stderr.decode()
    assert done.status == 125 and reason in text and text.count("\n") == 1
