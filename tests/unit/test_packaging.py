"""The folder arrangement: four folders at the root, one package, nothing forgotten.

`platform/` must have no `__init__.py`, or it would hide the standard library's
module from every tool that is started in this directory; every folder below it and
every other folder with Python in it must have one, or setuptools leaves it out.
"""

import os
import platform
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("sentry", "platform", "gofer", "runsc")
SOURCES = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
BUILD_INPUTS = {path for path in SOURCES if "native" in path.parts}


def module_name(path: Path) -> str:
    """`sentry/fs/pipe.py` is `runsc_py.sentry.fs.pipe`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("runsc_py", *parts)).removesuffix(".__init__")


def test_platform_does_not_hide_the_standard_library() -> None:
    """The reason for the arrangement."""
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert Path(platform.__file__).parent == Path(os.__file__).parent
    command = [sys.executable, "-c", "import platform; print(platform.system())"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "Linux\n"


def test_every_folder_is_a_package() -> None:
    """setuptools skips a folder without `__init__.py`, silently."""
    folders = {path.parent for path in SOURCES if path not in BUILD_INPUTS}
    missing = [
        folder
        for folder in folders
        if folder != ROOT / "platform" and not (folder / "__init__.py").exists()
    ]
    assert not missing


def test_build_inputs_are_no_package() -> None:
    """The C sources and their build script stay out of the wheel."""
    assert BUILD_INPUTS
    assert not any(path.name == "__init__.py" for path in BUILD_INPUTS)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path not in BUILD_INPUTS], ids=module_name
)
def test_every_module_imports(path: Path) -> None:
    """Under its name in the package, and from this checkout."""
    if path.name == "__main__.py":
        return  # runs when it is imported
    module = import_module(module_name(path))
    assert module.__file__ is not None and Path(module.__file__).samefile(path)


def test_typed() -> None:
    """Each part says that it has types."""
    assert all((ROOT / part / "py.typed").exists() for part in PARTS)


def test_start_up_imports_nothing_heavy() -> None:
    """What `runsc-py run` does not need it does not wait for."""
    code = "import sys, runsc_py.runsc.cli; print(*sys.modules)"
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"asyncio", "construct", "logging", "json", "ptrace", "unittest"}
