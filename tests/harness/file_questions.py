"""What the state machine of files (file_machine.py) is asked with: names, sizes, modes, users."""

import os
import struct

from hypothesis import strategies as st

from harness.native_files import ROOT, Identity

#: few, so that most operations meet something
PATHS = st.sampled_from(b"a b c a/a a/b a/c b/a b/b b/c a/b/a a/b/b a/b/c c/a".split())
SIZES = st.sampled_from([0, 1, 5, 4095, 4096, 4097, 10000, 65535, 65536, 70000, 200000])
RENAME_FLAGS = st.sampled_from([0, 0, 0, 1, 2])
MODES = st.sampled_from([0o600, 0o644, 0o755, 0o777, 0o4711, 0o2750, 0o2775, 0o6777, 0o1777])
USER: Identity = (1234, 1234, ())
EVERYBODY: tuple[Identity, ...] = (ROOT, USER, (1235, 1235, (1234, 50)), (1236, 50, ()))
IDENTITIES = st.sampled_from((ROOT, USER, *EVERYBODY))
OWNERS = st.sampled_from([-1, 0, 1234, 1235])
PERMISSIONS = st.integers(0, 7)
OPEN_FLAGS = st.sampled_from([0, os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_TRUNC, os.O_APPEND])
#: nothing, immutable, append-only, without dumps
FILE_FLAGS = st.sampled_from([0, 0, 0, 0x10, 0x20, 0x40])
ALLOCATION_MODES = st.sampled_from([0, 1, 3, 3, 2, 0x10])


@st.composite
def access_control_lists(draw: st.DrawFn) -> bytes:
    """The value of an access control list, valid nearly always."""
    entries = [(0x01, draw(PERMISSIONS), -1)]
    users = draw(st.lists(st.sampled_from([1234, 1235]), unique=True, max_size=2))
    entries += [(0x02, draw(PERMISSIONS), user) for user in sorted(users)]
    entries += [(0x04, draw(PERMISSIONS), -1)]
    groups = draw(st.lists(st.sampled_from([50, 1234]), unique=True, max_size=1))
    entries += [(0x08, draw(PERMISSIONS), group) for group in groups]
    masked: bool = draw(st.booleans())
    if users or groups or masked:
        entries += [(0x10, draw(PERMISSIONS), -1)]
    entries += [(0x20, draw(PERMISSIONS), -1)]
    if not draw(st.integers(0, 20)):
        entries.pop()
    packed = (struct.pack("<HHi", *entry) for entry in entries)
    return struct.pack("<I", 2) + b"".join(packed)
