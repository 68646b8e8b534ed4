"""coreutils, find, grep, sed, awk, and sort on 100 MB."""

import base64
import random
from pathlib import Path

import pytest

from harness.differential import Compare

PROGRAMS = Path(__file__).parent / "programs"
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]


def make_tree(directory: Path) -> None:
    """A few directories of text files, the same each time."""
    chosen = random.Random(1)
    for i in range(5):
        (directory / f"d{i}" / "deep").mkdir(parents=True)
        for j in range(8):
            lines = [" ".join(chosen.choices(WORDS, k=5)) for _ in range(20)]
            path = directory / f"d{i}" / ("deep" if j % 2 else ".") / f"f{j}.txt"
            path.write_text("\n".join(lines) + "\n")
    (directory / "link").symlink_to("d0/f0.txt")
    (directory / "empty").touch()


@pytest.mark.parametrize("script", ["coreutils", "find-grep", "sed-awk"])
def test_script(script: str, compare: Compare) -> None:
    """Output and status are those of the native run."""
    command = ["/bin/bash", str(PROGRAMS / f"{script}.sh")]
    compare(command, prepare=make_tree, timeout=120)


def test_files_are_the_same(compare: Compare) -> None:
    """What is done on a writable volume is done on the host."""
    script = (
        "cp -a d0 copy; mv d1 moved; rm -r d2; ln -s copy soft; ln copy/f0.txt hard;"
        "sed -i 1d copy/f0.txt; chmod 600 empty; mkdir -m 700 new; truncate -s 5000 new/hole"
    )
    compare(["/bin/sh", "-c", script], prepare=make_tree, files=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sort_100_megabytes(compare: Compare) -> None:
    """sort with temporary files, of a file of the host."""

    def prepare(directory: Path) -> None:
        data = random.Random(2).randbytes(75_000_000)
        (directory / "big").write_bytes(base64.encodebytes(data))

    command = "sort -S 32M -T . big | sha256sum"
    compare(["/bin/sh", "-c", command], prepare=prepare, timeout=120)
