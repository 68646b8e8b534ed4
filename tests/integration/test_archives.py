"""tar, rsync, gzip, xz and checksums, on a writable volume, compared file by file."""

import errno
import os
import random
from pathlib import Path

import pytest

from harness.differential import Compare, Find
from harness.programs import PYTHON

PROGRAMS = Path(__file__).parent / "programs"


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


# "user::rw-, user:1:r--, group::r--, mask::r--, other::---" as the kernel's attribute has it.
ACCESS_LIST = bytes.fromhex(
    "0200000001000600ffffffff020004000100000004000400ffffffff10000400ffffffff20000000ffffffff"
)


def set_attribute(path: Path, name: str, value: bytes) -> None:
    """Set an extended attribute, or skip the test where the file system has none."""
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        pytest.skip(f"no {name} attributes in {path.parent}")


def make_attributes(directory: Path) -> None:
    """Hard links, a hole, a FIFO, extended attributes, times with nanoseconds."""
    make_tree(directory)
    tree = directory / "tree"
    with open(tree / "sparse", "wb") as sparse:
        sparse.seek(1 << 20)
        sparse.write(b"end")
    os.link(tree / "sub" / "random", tree / "sub" / "deep" / "random")
    os.mkfifo(tree / "fifo", 0o600)
    attributes = {"user.empty": b"", "user.bytes": bytes(range(256)), "user.long": b"x" * 1000}
    for name, value in attributes.items():
        set_attribute(tree / "text", name, value)
    set_attribute(tree / "sub", "user.directory", b"yes")
    for number, path in enumerate(sorted(tree.rglob("*"))):
        os.utime(path, ns=(0, 10**18 + number), follow_symlinks=False)


def make_access_lists(directory: Path) -> None:
    """The same, with an access control list."""
    make_attributes(directory)
    set_attribute(directory / "tree" / "sub" / "random", "system.posix_acl_access", ACCESS_LIST)


LIST = f"{PYTHON} {PROGRAMS / 'list_tree.py'}"
COPIES = {
    "tar": f"""
        tar --format=posix $TAR_KEEPS -S -cf a.tar tree
        mkdir out; tar $TAR_KEEPS -xpf a.tar -C out
        {LIST} tree > before; {LIST} out/tree > after
        cat after; cmp before after
        tar $TAR_KEEPS -df a.tar
        rm a.tar
    """,
    "rsync": f"""
        rsync $RSYNC_KEEPS --sparse tree/ copy/
        {LIST} tree > before; {LIST} copy > after
        cat after; cmp before after
        rsync $RSYNC_KEEPS --itemize-changes tree/ copy/
        echo more >> tree/sub/deep/random; rm tree/sub/deep/small-7; ln tree/fifo tree/other
        touch -d 2001-02-03 tree tree/sub/deep
        rsync $RSYNC_KEEPS --itemize-changes --checksum --delete tree/ copy/
        {LIST} copy | cut -d ' ' -f 1-6
    """,
}


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("volume", [True, False], ids=["volume", "overlay"])
@pytest.mark.parametrize("name", COPIES)
def test_attributes_are_kept(name: str, volume: bool, program: Find, compare: Compare) -> None:
    """A copy has the links, attributes and times of the original, to the nanosecond."""
    program(name, name)
    env = {"TAR_KEEPS": "--xattrs --xattrs-include=user.*", "RSYNC_KEEPS": "-aHX"}
    prepare = make_attributes
    if volume:  # the overlay's memory has no access control lists
        env = {"TAR_KEEPS": "--xattrs --xattrs-include=* --acls", "RSYNC_KEEPS": "-aHAX"}
        prepare = make_access_lists
    script = ["/bin/sh", "-efc", COPIES[name]]
    compare(script, prepare=prepare, env=env, files=volume, timeout=90)
