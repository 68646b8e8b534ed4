"""Access control lists as values; the host's kernel is asked in tests/syscalls/files/acl*."""

import struct

import pytest

from runsc_py.sentry.errors import EINVAL
from runsc_py.sentry.vfs.acl import AccessControlList

USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32
NOBODY = 0xFFFFFFFF

FULL = AccessControlList(
    (
        (USER_OBJ, 6, NOBODY),
        (USER, 7, 5),
        (GROUP_OBJ, 5, NOBODY),
        (GROUP, 1, 9),
        (MASK, 6, NOBODY),
        (OTHER, 4, NOBODY),
    )
)


def same(identifier: int) -> int:
    return identifier


def test_bytes() -> None:
    value = FULL.encode(same, same)
    again = AccessControlList.parse(value, same, same)
    assert again is not None
    assert again.entries == FULL.entries


def test_ids_are_translated() -> None:
    value = FULL.encode(lambda uid: uid + 100, lambda gid: None)
    entries = list(struct.iter_unpack("<HHI", value[4:]))
    assert entries[1] == (USER, 7, 105)
    assert entries[3] == (GROUP, 1, NOBODY)
    with pytest.raises(EINVAL):
        AccessControlList.parse(value, same, lambda gid: None)


def test_mode() -> None:
    assert FULL.permission_bits() == 0o664
    changed = FULL.with_permission_bits(0o751)
    assert changed.permission_bits() == 0o751
    assert (GROUP_OBJ, 5, NOBODY) in changed.entries
    mode, inherited = FULL.inherited(0o100750)
    assert mode == 0o100640
    assert inherited is not None
    assert (MASK, 4, NOBODY) in inherited.entries


def test_minimal() -> None:
    entries = tuple(entry for entry in FULL.entries if entry[0] in (USER_OBJ, GROUP_OBJ, OTHER))
    minimal = AccessControlList(entries)
    minimal.check_valid()
    assert minimal.is_minimal and not FULL.is_minimal
    assert minimal.inherited(0o40777) == (0o40654, None)
