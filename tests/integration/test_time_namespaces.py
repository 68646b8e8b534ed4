"""The time namespace of another container, or of a process of the host, named by path."""

import os
from typing import Any

import pytest

from harness.containers import BUSYBOX, WAIT, Engine

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")
OFFSETS = {"monotonic": {"secs": 7881, "nanosecs": 2718281}, "boottime": {"secs": 1337}}
SHOWN = [["monotonic", "7881", "2718281"], ["boottime", "1337", "0"]]


def _change(path: str, offsets: "dict[str, Any] | None" = None) -> Any:
    def change(document: Any) -> None:
        document["linux"]["namespaces"].append({"type": "time", "path": path})
        document["linux"]["timeOffsets"] = offsets or {}

    return change


def _offsets(engine: Engine, change: Any) -> list[list[str]]:
    words = ("/bin/busybox", "cat", "/proc/self/timens_offsets")
    done = engine("run", "--bundle", engine.bundle(*words, change=change), "b")
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_of_another_container(engine: Engine) -> None:
    """Its offsets are taken over; others beside them make no sense."""
    pid_file = engine.folder / "pid"
    bundle = engine.bundle(*WAIT, change=_change("", OFFSETS))
    assert engine("create", "--bundle", bundle, "--pid-file", pid_file, "a").returncode == 0
    path = f"/proc/{pid_file.read_text()}/ns/time"
    assert _offsets(engine, _change(path)) == SHOWN
    refused = engine(
        "run", "--bundle", engine.bundle("/bin/sh", change=_change(path, OFFSETS)), "b"
    )
    assert refused.returncode != 0
    assert "both namespace path and time offsets specified" in refused.stderr


def test_of_a_process(engine: Engine) -> None:
    """That of the host has none."""
    path = f"/proc/{os.getpid()}/ns/time"
    if not os.path.exists(path):
        pytest.skip("this kernel has no time namespaces")
    assert _offsets(engine, _change(path)) == [["monotonic", "0", "0"], ["boottime", "0", "0"]]
