"""Trees of files: walking them, asking for every file, making many, importing from them."""

import io
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Duration
from benchmarks.peers import Peer

FILES_OF_REPOSITORY = 2000
FILES_OF_ARCHIVE = 5000
#: seconds by which the files of the repository are older than its index, which git then trusts
AGE = 3600

#: what would open a browser or a window, print a poem or run tests
UNWANTED = "antigravity this idlelib turtle turtledemo tkinter lib2to3 test"
IMPORT_ALL = f"""
import importlib, sys
for name in sorted(sys.stdlib_module_names.difference({UNWANTED!r}.split())):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
"""


class Tree(Duration):
    """A command in a directory that is made anew for each run, outside of what is timed."""

    rounds = 3

    def __init__(self, title: str, command: list[str], prepare: Callable[[Path], None]) -> None:
        super().__init__(title, command)
        self.prepare = prepare

    def ask(self, peer: Peer, workplace: Path) -> float:
        """One run, in milliseconds."""
        self.prepare(workplace)
        return super().ask(peer, workplace)


class Walk(Duration):
    """A command that looks at what the machine has already."""

    rounds = 3


def make_repository(workplace: Path) -> None:
    """A git repository with everything committed."""
    for number in range(FILES_OF_REPOSITORY):
        file = workplace / f"{number % 40:02}" / f"{number:04}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"file {number}\n" * 10)
        then = file.stat().st_mtime - AGE
        os.utime(file, (then, then))
    author = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    for arguments in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "all"]):
        subprocess.run(["git", *arguments], cwd=workplace, check=True, capture_output=True)


def make_archive(workplace: Path) -> None:
    """A tar archive of small files in a hundred directories."""
    content = b"a line of a small file\n" * 40
    with tarfile.open(workplace / "small.tar", "w") as archive:
        for number in range(FILES_OF_ARCHIVE):
            member = tarfile.TarInfo(f"tree/{number % 100:02}/{number:04}.txt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


QUESTIONS = [
    Walk("find /usr -type f", ["sh", "-c", "find /usr -type f | wc -l"]),
    Walk("du -s /usr/lib", ["du", "-s", "/usr/lib"]),
    Tree("git status, 2000 files", ["git", "status", "--short"], make_repository),
    Tree("untar of 5000 small files", ["tar", "-xf", "small.tar"], make_archive),
    Walk("python3, import every stdlib module", ["/usr/bin/python3", "-Bc", IMPORT_ALL]),
]
