"""tar, gzip, xz and checksums, on a writable volume, compared file by file."""

import random
from pathlib import Path

import pytest

from harness.differential import Compare, Find


def make_tree(directory: Path) -> None:
    """Text that can be compressed, random bytes that cannot, links."""
    chosen = random.Random(3)
    tree = directory / "tree"
    (tree / "sub" / "deep").mkdir(parents=True)
    (tree / "text").write_text("".join(f"line {i} of the text\n" for i in range(20_000)))
    (tree / "sub" / "random").write_bytes(chosen.randbytes(300_000))
    for i in range(40):
        (tree / "sub" / "deep" / f"small-{i}").write_text(f"{i}\n" * i)
    (tree / "link").symlink_to("sub/random")
    (tree / "hard").hardlink_to(tree / "text")


CREATE = "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner"
SCRIPTS = {
    "tar": f"{CREATE} -cf a.tar tree; tar -tf a.tar; mkdir out; tar -xf a.tar -C out",
    "gzip": f"""
        {CREATE} -cf - tree | gzip -n > a.tar.gz
        gzip -t a.tar.gz
        tar -tzf a.tar.gz | wc -l
        gunzip -k a.tar.gz
    """,
    "xz": f"""
        xz -k -T1 tree/text
        xz -l tree/text.xz | wc -l
        xz -dc tree/text.xz | cmp - tree/text
        {CREATE} -cJf a.tar.xz tree
        tar -tJf a.tar.xz | wc -l
    """,
    "sha256sum": """
        find tree -type f | sort | xargs sha256sum > sums
        sha256sum -c --quiet sums
        cat sums
        md5sum tree/text
        cksum tree/text
        b2sum tree/text
    """,
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_archive(name: str, program: Find, compare: Compare) -> None:
    """Output and resulting files are those of the native run."""
    program(name, {"xz": "xz-utils", "sha256sum": "coreutils"}.get(name, name))
    compare(["/bin/sh", "-ec", SCRIPTS[name]], prepare=make_tree, files=True)
