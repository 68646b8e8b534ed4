"""tmpfs(5): a file system in memory.

    filesystem.py   the mounted instance: options, what is used and what is left
    node.py         what every inode shares: owner, times, link count, extended attributes
    directory.py    directories, and every operation on names
    regular.py      regular files and their open file descriptions
    special.py      symbolic links, FIFOs, sockets, device nodes

An inode lives as long as Python refers to it: from its directory, a dentry, an open file.  When
the last of them lets go, its memory and its place in the accounts are given back.
"""

from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs

__all__ = ["Tmpfs"]
