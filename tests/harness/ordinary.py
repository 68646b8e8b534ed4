"""runsc-py for an ordinary user: a copy that anybody may read and run.

The interpreter of the tests and the working tree may lie in a home directory, closed to others.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from harness.sandbox import EXECUTABLE

NOBODY = 65534
PARTS = ("sentry", "platform", "gofer", "runsc")
LIBRARIES = ("msgpack", "cffi", "_cffi_backend", "construct", "backports")


def interpreter() -> str | None:
    """A Python like ours that an ordinary user may execute."""
    wanted = f"python3.{sys.version_info.minor}"
    for path in (os.path.realpath(sys.executable), f"/usr/bin/{wanted}"):
        # By a shell: setpriv itself keeps capabilities until it executes something.
        words = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        words += ["sh", "-c", 'exec "$0" -I -c ""', path]
        try:
            if subprocess.run(words, capture_output=True, timeout=60).returncode == 0:
                return path
        except OSError:
            continue
    return None


def install(directory: Path, python: str) -> Path:
    """Copy what runs into `directory`; the command to run it by."""
    tree = Path(__file__).resolve().parents[2]
    for part in PARTS:
        shutil.copytree(tree / part, directory / "runsc_py" / part)
    for name in LIBRARIES:
        found = importlib.util.find_spec(name)
        assert found is not None
        places = [Path(place) for place in found.submodule_search_locations or ()]
        for place in places:
            shutil.copytree(place, directory / name, dirs_exist_ok=True)
        if not places:
            assert found.origin is not None
            shutil.copy(found.origin, directory)
    command = directory / EXECUTABLE.name
    command.write_text(
        f"#!{python} -I\nimport sys\nsys.path.insert(0, {str(directory)!r})\n"
        "from runsc_py.runsc.cli import main\nsys.exit(main())\n"
    )
    command.chmod(0o755)
    for path in (directory, *directory.rglob("*")):
        path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
    return command
