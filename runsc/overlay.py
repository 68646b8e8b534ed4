"""`--overlay2`: which mounts are below a layer that takes the writes, and where that is kept."""

from __future__ import annotations

import os

from runsc_py.runsc.errors import RunscError

NONE, MEMORY, SELF = "none", "memory", "self"
ROOT, ALL = "root", "all"

USE = "use none, or root: or all: with memory, self or dir=/DIRECTORY, and ,size=SIZE"


class Overlay:
    """One value of the option, taken apart."""

    __slots__ = ("directory", "medium", "mounts", "size")

    def __init__(self, mounts: str, medium: str, directory: str = "", size: str = "") -> None:
        #: NONE, ROOT or ALL
        self.mounts = mounts
        #: NONE, MEMORY, SELF (the mount's own directory) or DIRECTORY
        self.medium = medium
        #: of the host, absolute, where the medium is a directory
        self.directory = directory
        #: of each layer, as tmpfs(5) writes it; empty: half of the memory, or what a disk has
        self.size = size

    @classmethod
    def parse(cls, text: str) -> Overlay:
        """`none`, `root:memory`, `all:self,size=1g`, `root:dir=/var/tmp`.  Raises RunscError."""
        if text == NONE:
            return cls(NONE, NONE)
        mounts, colon, rest = text.partition(":")
        medium, *parameters = rest.split(",")
        size = ""
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name != "size" or not _is_size(value) or size:
                raise RunscError(f"--overlay2 {text!r}: {USE}")
            size = value
        directory = medium.removeprefix("dir=") if medium.startswith("dir=") else ""
        if directory:
            if not os.path.isabs(directory):
                raise RunscError(f"--overlay2 {text!r}: dir= needs an absolute path")
            medium = "dir"
        if mounts not in (ROOT, ALL) or not colon or medium not in (MEMORY, SELF, "dir"):
            raise RunscError(f"--overlay2 {text!r}: {USE}")
        return cls(mounts, medium, directory, size)


def _is_size(text: str) -> bool:
    """As tmpfs(5) has it: bytes, with k, m or g, or a percentage of the memory."""
    number = text[:-1] if text[-1:] in tuple("kKmMgG%") else text
    return number.isascii() and number.isdigit() and int(number) > 0
