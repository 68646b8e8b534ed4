"""What a program of ours imports, without what an editable install's hook needs."""

import subprocess
import sys
from pathlib import Path

import msgpack

ROOT = Path(__file__).parents[2]
PARTS = ("sentry", "platform", "gofer", "runsc")

COMMAND = """
sys.argv = ["runsc-py", {words}]
from runsc_py.runsc.cli import main
assert main() == 0
"""


def modules_after(program: str, place: Path) -> set[str]:
    """What is imported after a program, whose package is made of links in an empty directory."""
    (place / "runsc_py").mkdir(parents=True)
    for part in PARTS:
        (place / "runsc_py" / part).symlink_to(ROOT / part)
    libraries = Path(msgpack.__file__).parents[1]
    answer = place / "modules"
    code = (
        f"import sys; sys.path[:0] = [{str(place)!r}]; sys.path.append({str(libraries)!r})\n"
        f"{program}\n"
        f"open({str(answer)!r}, 'w').write('\\n'.join(sys.modules))"
    )
    words = [sys.executable, "-I", "-S", "-c", code]
    subprocess.run(words, stdout=subprocess.DEVNULL, check=True, timeout=60)
    return set(answer.read_text().split())


def modules_of_command(words: list[str | Path], place: Path) -> set[str]:
    """What `runsc-py WORDS` imports, which has to work."""
    return modules_after(COMMAND.format(words=", ".join(repr(str(word)) for word in words)), place)
