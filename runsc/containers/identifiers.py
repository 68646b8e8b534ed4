"""Names of containers: they become file names, so there is little that they may hold."""

import os

from runsc_py.runsc.errors import RunscError

CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.")
#: two of them, and what is put between and behind, fit into a file name
LONGEST = 100


def check_identifier(identifier: str) -> str:
    """The same name.  Raises RunscError for one that no container can have."""
    if not identifier:
        raise RunscError("container id cannot be empty")
    if not CHARACTERS.issuperset(identifier) or identifier in (".", ".."):
        raise RunscError(f"invalid container id {identifier!r}: use letters, digits and _ + - .")
    if len(os.fsencode(identifier)) > LONGEST:
        raise RunscError(f"container id is longer than {LONGEST} characters")
    return identifier
