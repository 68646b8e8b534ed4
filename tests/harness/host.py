"""What kind of host the tests run on."""

import itertools
import os


def host_kernel() -> tuple[int, ...]:
    """The host's kernel version."""
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(itertools.takewhile(str.isdigit, minor)))
