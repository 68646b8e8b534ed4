"""What engines call for every container, many times: such commands import what they use.

A module costs a tenth of a millisecond, `re` three, `socket` seven.  What is not in these lists is
to be imported where it is used, or to be left out.
"""

import os
from pathlib import Path

import pytest

from harness.containers import BUSYBOX, WAIT, Engine
from harness.imports import modules_after, modules_of_command

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

#: of the standard library, besides what the interpreter itself starts with
PLAIN = {"__future__", "_json", "errno", "fcntl", "gc"}
#: for a control call
CALLING = {
    "_collections", "_datetime", "_functools", "_operator", "_socket", "_struct", "collections",
    "cython_runtime", "datetime", "functools", "itertools", "keyword", "math", "msgpack",
    "msgpack._cmsgpack",
    "msgpack.exceptions", "msgpack.ext", "operator", "reprlib", "struct", "types",
}  # fmt: skip
#: of ours, in runsc_py.runsc
OURS = {
    "arguments", "cli", "commands", "config", "containers", "control", "debug_log", "environment",
    "errors", "exit_record", "json_text", "log", "options", "overlay", "runtime_log", "settings",
    "standard_files", "text",
}  # fmt: skip

#: a state, a command in that state, and what it may import
CASES = [
    ("running", ["state", "a"], PLAIN),
    ("running", ["list"], PLAIN),
    ("running", ["list", "--format", "json"], PLAIN),
    ("created", ["state", "a"], PLAIN | CALLING),
    ("created", ["start", "a"], PLAIN | CALLING),
    ("running", ["ps", "a"], PLAIN | CALLING),
    ("running", ["kill", "a", "9"], PLAIN | CALLING),
    ("stopped", ["delete", "a"], PLAIN | {"select"}),
]


@pytest.mark.parametrize(
    ("state", "words", "allowed"), CASES, ids=[f"{state}-{words[0]}" for state, words, _ in CASES]
)
def test_imports(
    engine: Engine, tmp_path: Path, state: str, words: list[str], allowed: set[str]
) -> None:
    """Nothing else, and nothing of the sentry, the gofer or the platform."""
    pid = engine.create("a", *(WAIT if state != "stopped" else ("/bin/sh", "-c", "exit")))
    if state != "created":
        assert engine("start", "a").returncode == 0
    if state == "stopped":
        os.waitpid(pid, 0)
    bare = modules_after("import os", tmp_path / "bare")
    used = modules_of_command(["--root", engine.root, *words], tmp_path / "used") - bare
    ours = {name for name in used if name.startswith("runsc_py")}
    foreign = {name for name in used - ours if not name.startswith("_cython_")}
    assert foreign - allowed == set()
    parts = {name.split(".")[2] for name in ours if name.count(".") > 1}
    assert parts - OURS == set()
    assert {name for name in ours if name.count(".") == 1} == {"runsc_py.runsc"}
