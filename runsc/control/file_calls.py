"""Control calls about a container's files by name, beside those of calls.py that carry content.

This module is only imported for one of these.
"""

from runsc_py.runsc.control.calls import Call
from runsc_py.runsc.control.message import message


@message
class FileEntry:
    """A name and what it leads to, as lstat(2) tells; times in nanoseconds since 1970."""

    name: str
    mode: int
    uid: int
    gid: int
    size: int
    links: int
    modified: int
    changed: int
    #: of a symbolic link
    target: str = ""


@message
class Stat(Call):
    """What a name in a container is; the last symbolic link is not followed.

    Answers FileEntry; its name is the path.
    """

    METHOD = "Fs.Stat"

    container_id: str
    path: str
    follow: bool = False


@message
class ListDirectory(Call):
    """A page of a container's directory: the names after `after`, in order, but for "." and "..".

    Answers list[FileEntry]; it is empty at the end.
    """

    METHOD = "Fs.List"

    container_id: str
    path: str
    after: str = ""


@message
class MakeDirectory(Call):
    """Make a container's directory, and those on the way to it.  Answers None."""

    METHOD = "Fs.MakeDirectory"

    container_id: str
    path: str
    mode: int = 0o755


@message
class MakeSymlink(Call):
    """Make a symbolic link in a container.  Answers None."""

    METHOD = "Fs.MakeSymlink"

    container_id: str
    target: str
    path: str


@message
class Rename(Call):
    """Give a container's file another name, as rename(2).  Answers None."""

    METHOD = "Fs.Rename"

    container_id: str
    path: str
    new_path: str


@message
class Remove(Call):
    """Remove a container's file or empty directory.  Answers None."""

    METHOD = "Fs.Remove"

    container_id: str
    path: str
