"""acl(5): lists of the host's files are honoured, copied up, and written to volumes."""

import os
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest

from harness.differential import Compare, Find, Inside

GUEST = Path(__file__).parent.parent / "syscalls/files/acl.sh"

LOOK = """
as() { uid=$1; shift; setpriv --reuid "$uid" --regid 0 --clear-groups "$@" 2>&1; }
as 1234 cat named; as 1236 cat named
as 1234 cat closed/x; as 1236 cat closed/x
as 1236 cat group; as 1234 sh -c 'echo more >> group'; as 1236 sh -c 'echo more >> group'
cat group; getfacl -n named closed heir group
chmod g+x named; getfacl -n named; as 1236 cat named; as 1234 cat named
touch heir/new; mkdir heir/directory; getfacl -n heir heir/new heir/directory
touch heir/old; chmod 640 heir/old; getfacl -n heir/old; echo x >> heir/inner/file
getfacl -n heir/inner heir/inner/file
"""


@pytest.fixture(autouse=True)
def tools(program: Find) -> None:
    if os.geteuid() != 0:
        pytest.skip("natively only the superuser may become another user")
    program("setfacl", "acl")


def make_lists(directory: Path) -> None:
    """Files whose lists grant and deny what the mode bits alone would not."""
    script = """
        umask 022
        echo named > named; chmod 600 named; setfacl -m u:1234:r named
        mkdir closed; setfacl -m u:1234:- closed; echo x > closed/x
        mkdir heir heir/inner; touch heir/old heir/inner/file; setfacl -d -m u:9:rwx heir
        echo group > group; setfacl -m u:1234:rw,g::-,o::-,m::rw group
    """
    subprocess.run(["/bin/sh", "-ec", script], cwd=directory, check=True)


@pytest.mark.parametrize("files", [False, True], ids=["lower layer", "volume"])
def test_lists_of_the_host(compare: Compare, files: bool) -> None:
    """The mode's group bits are the mask where there is a list: not what the group may do."""
    outcome = compare(["/bin/sh", "-c", LOOK], prepare=make_lists, files=files)
    assert "named\ncat: named: Permission denied" in outcome.stdout.decode()


def test_volume(compare: Compare) -> None:
    """Everything that can be done with lists, done on the host."""
    compare(["/bin/sh", str(GUEST)], files=True)


def test_export(inside: Inside, tmp_path: Path) -> None:
    """A list goes into an exported layer as an extended attribute."""
    layer = tmp_path / "layer.tar"
    script = "umask 022; echo x > new; setfacl -m u:1234:rw new"
    inside(["/bin/sh", "-ec", script], options=("--export", str(layer)))
    with tarfile.open(layer) as archive:
        (member,) = [member for member in archive if member.name.endswith("/work/new")]
        value = member.pax_headers["SCHILY.xattr.system.posix_acl_access"]
    assert member.mode == 0o664
    assert struct.pack("<HHI", 2, 6, 1234) in os.fsencode(value)
