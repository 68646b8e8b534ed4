"""What guests, gofers, engines and archives send is never made into code or objects."""

import ast
import subprocess
from pathlib import Path

from harness.sandbox import command

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for part in ("sentry", "platform", "gofer", "runsc")
    for path in (ROOT / part).rglob("*.py")
]
MODULES = {"pickle", "marshal", "shelve", "yaml", "dill", "code", "codeop"}
FUNCTIONS = {"eval", "exec", "compile", "__build_class__"}


def names_of(node: ast.AST) -> set[str]:
    """What a statement imports or calls, of what is forbidden."""
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names} & MODULES
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]} & MODULES
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return {node.func.id} & FUNCTIONS
    return set()


def test_no_data_becomes_code() -> None:
    found = [
        (str(path.relative_to(ROOT)), name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        for name in names_of(node)
    ]
    assert len(SOURCES) > 400 and not found
    assert names_of(ast.parse("eval('1')").body[0].value) == {"eval"}  # type: ignore[attr-defined]


def test_names_forge_no_lines() -> None:
    """What a guest chose is shown in one line, without what a terminal would obey."""
    done = subprocess.run(
        command(["no\nrunsc-py: all is well\x1b[2J"]), capture_output=True, timeout=60
    )
    assert done.returncode == 127
    assert done.stderr.count(b"\n") == 1 and b"\x1b" not in done.stderr
