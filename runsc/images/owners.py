"""Whom an image's files belong to, where an ordinary user unpacked it and they are all his.

A file beside the image's root, of fixed records: inode number, mode, uid, gid.  The root directory
always has one, which tells whether the numbers are still right: a copied cache has others.
"""

import os
from struct import Struct

from runsc_py.runsc.errors import RunscError

OWNERS = "owners"

_RECORD = Struct("<QIII")


def write_owners(directory: int, root: int, owners: dict[int, tuple[int, int, int]]) -> None:
    """Write the file into an image's directory."""
    number = os.fstat(root).st_ino
    records = [_RECORD.pack(number, *owners.get(number, (os.fstat(root).st_mode & 0o7777, 0, 0)))]
    records += [_RECORD.pack(inode, *entry) for inode, entry in owners.items() if inode != number]
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(OWNERS, flags, 0o600, dir_fd=directory)
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"".join(records))


def read_owners(path: str, root: str) -> dict[int, tuple[int, int, int]] | None:
    """The records of the image in the directory `path`; None where files have their real owners.

    Raises RunscError when they are not those of the files that are there.
    """
    try:
        with open(os.path.join(path, OWNERS), "rb", 0) as file:
            data = file.readall()
    except FileNotFoundError:
        return None
    owners = {
        inode: (mode, uid, gid)
        for inode, mode, uid, gid in _RECORD.iter_unpack(data[: len(data) // 20 * 20])
    }
    if os.stat(root).st_ino not in owners:
        raise RunscError(
            f"the image in {path} was copied, and its owners are lost; remove it: "
            f"runsc-py images rm {os.path.basename(path)[:12]}"
        )
    return owners
