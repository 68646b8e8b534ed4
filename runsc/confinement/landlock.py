"""landlock(7): taking from this process paths, ports, and other processes.

A right that the host's Landlock does not know is not restricted; where it knows nothing at all,
`restrict` says so.  Processes that are started afterwards are restricted as well; those may be
traced and signalled, all others not.
"""

from __future__ import annotations

import os
import struct

from runsc_py.runsc.confinement import host_calls

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIRECTORY = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15

#: of regular files, with a name or without
MAKE_FILES = WRITE_FILE | TRUNCATE | 1 << 8
READ = EXECUTE | READ_FILE | READ_DIRECTORY
#: what there is about files, by the version that brought it
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: REFER, 3: TRUNCATE, 5: IOCTL_DEVICE}
ALL = sum(_FILE_RIGHTS.values())
#: of them, what means something for a file that is no directory
_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
#: before it, moving a file to another directory was always refused
_MOVING_VERSION = 2
_NETWORK_VERSION, _BIND_AND_CONNECT = 4, 3
_SCOPE_VERSION, _SOCKETS_AND_SIGNALS = 6, 3

_RULESET = struct.Struct("=3Q")
_RULE = struct.Struct("=Qi")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def version() -> int:
    """Of the host's Landlock; 0 where there is none."""
    try:
        return host_calls.call(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(
    places: Sequence[tuple[int, int]] | None, *, network: bool, moves: bool = False
) -> bool:
    """Confine this process for ever; False where the host cannot.  Raises OSError.

    `places`: descriptors of what may still be reached by path, with the rights there; None leaves
    all paths.  `network`: whether TCP ports may be used.  `moves`: files have to be moved between
    directories.
    """
    abi = version()
    files = sum(right for since, right in _FILE_RIGHTS.items() if since <= abi)
    if places is None:
        files = 0
    ports = _BIND_AND_CONNECT if abi >= _NETWORK_VERSION and not network else 0
    scope = _SOCKETS_AND_SIGNALS if abi >= _SCOPE_VERSION else 0
    if not (files or ports or scope) or (moves and abi < _MOVING_VERSION):
        return False
    attributes = _RULESET.pack(files, ports, scope)
    size = 24 if abi >= _SCOPE_VERSION else 16 if abi >= _NETWORK_VERSION else 8
    ruleset = host_calls.call(_CREATE_RULESET, attributes, size, 0)
    try:
        for descriptor, rights in places or ():
            if os.stat(descriptor).st_mode & 0o170000 != 0o040000:
                rights &= _OF_A_FILE
            rule = _RULE.pack(rights & files, descriptor)
            host_calls.call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        host_calls.forbid_new_privileges()
        host_calls.call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return True
