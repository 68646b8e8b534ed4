"""The rules of CONTRIBUTING.md that can be counted, and that the documents name what is there."""

import ast
import re
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
PARTS = ("sentry", "platform", "gofer", "runsc", "tests", "benchmarks")
SOURCES = sorted(
    path
    for part in PARTS
    for suffix in ("py", "c", "h")
    for path in (TREE / part).rglob(f"*.{suffix}")
)
DOCUMENTS = sorted([*TREE.glob("*.md"), *(TREE / "docs").glob("*.md")])
#: lines: what a file should have at most, and what none may have
WANTED_FILE, LONGEST_FILE = 500, 600
LONGEST_FUNCTION = 80
#: over `WANTED_FILE`, each of one subject that would only be torn apart
LONG_FILES = {
    "gofer/client.py",
    "platform/ptrace/native/hot.c",
    "runsc/control/calls.py",
    "tests/harness/file_machine.py",
}
#: over `LONGEST_FUNCTION`: lists of attributes with a word for each, and the loop of every path
LONG_FUNCTIONS = {
    "sentry/kernel/kernel.py: __init__",
    "sentry/kernel/task.py: __init__",
    "sentry/vfs/walk.py: _run",
}
#: of what `make` builds, and of other trees
ELSEWHERE = ("build/", "out/", "files/", "http:", "https:", "mailto:", "/")
#: other people's documents
FOREIGN = {"layer.md"}


def name_of(path: Path) -> str:
    """As the rules name it."""
    return str(path.relative_to(TREE))


def test_files_have_one_subject() -> None:
    """None is too long; the list of exceptions is as short as can be."""
    lengths = {name_of(path): path.read_bytes().count(b"\n") for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}
    assert {name for name, length in lengths.items() if length > WANTED_FILE} <= LONG_FILES


def test_functions_fit_a_screen() -> None:
    """But for those that are declared."""
    found = set()
    for path in SOURCES:
        if path.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno >= LONGEST_FUNCTION:
                    found.add(f"{name_of(path)}: {node.name}")
    assert found <= LONG_FUNCTIONS


def test_every_module_says_what_it_is_for() -> None:
    """In its first line."""
    silent = [
        name_of(path)
        for path in SOURCES
        if path.suffix == ".py"
        and path.parts[len(TREE.parts)] != "tests"
        and path.name != "__init__.py"
        and not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert silent == []


def anchors_of(document: Path) -> set[str]:
    """What links may lead to in a document: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    """To a file of the tree, and to a heading that is in it."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(ELSEWHERE):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        assert file.exists(), f"{target} leads nowhere"
        if anchor:
            assert anchor in anchors_of(file), f"{target}: there is no such heading"


def test_every_document_is_found_from_the_first() -> None:
    """By links that begin at README.md."""
    found, queue = set[Path](), [TREE / "README.md"]
    while queue:
        document = queue.pop()
        found.add(document)
        for target in re.findall(r"\]\(([^)\s#]+\.md)", document.read_text()):
            linked = (document.parent / target).resolve()
            if linked.exists() and linked not in found:
                queue.append(linked)
    assert set(DOCUMENTS) - found == set()


def endings(names: list[str]) -> set[str]:
    """By which a file or a folder can be named: "d", "c/d", "b/c/d" of "b/c/d"."""
    found = set()
    for name in names:
        parts = name.split("/")
        for last in range(1, len(parts) + 1):
            found |= {"/".join(parts[first:last]) for first in range(last)}
    return found


@pytest.fixture(scope="module")
def known() -> set[str]:
    """What there is in the tree."""
    return endings([name_of(path) for path in [*SOURCES, *DOCUMENTS, TREE / "setup.py"]])


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_paths_that_documents_name_are_there(document: Path, known: set[str]) -> None:
    """In code font, with an ending or a slash."""
    if document.name == "CHANGELOG.md":
        return  # which tells of what was
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    named = re.findall(r"`([\w./-]+(?:\.py|\.c|\.h|\.md|/))(?::[\w.]+)?`", text)
    ours = [name.rstrip("/") for name in named if not name.startswith((*ELSEWHERE, "."))]
    assert [name for name in ours if name not in known] == []


def definitions(path: Path) -> set[str]:
    """Functions and classes of a module, and methods as "Class.method"."""
    found = set()
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{one.name}"
                for one in node.body
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_functions_that_documents_name_are_there(document: Path) -> None:
    """Written as `module.py:Class.method`."""
    for module, name in re.findall(r"`([\w/]+\.py):([\w.]+)`", document.read_text()):
        assert name in definitions(TREE / module), f"{module} has no {name}"


def test_paths_that_modules_name_are_there(known: set[str]) -> None:
    """In their docstrings and comments, where a module tells of its neighbours."""
    missing = []
    for path in SOURCES:
        if name_of(path).startswith("tests/"):
            continue
        for line in path.read_text().splitlines():
            if '"' in line.replace('"""', "") or "'" in line:
                continue  # a text of the program
            for name in re.findall(r"(?<![\w./<-])([a-z_]+(?:[/-][a-z_]+)*\.(?:py|c|md))\b", line):
                if name not in known and name not in FOREIGN:
                    missing.append(f"{name_of(path)}: {name}")
    assert missing == []
