"""The gofer's file system: files of the host, reached through the gofer process.

    filesystem.py   the mounted instance: the client, inodes by identity, what is given back
    identity.py     host uids and gids as the guest sees them
    node.py         what every inode shares: attributes and how long they are believed
    ahead.py        names looked up before they are asked for
    foreseen.py     what a walk will ask for, where the host may change the files
    directory.py    directories: lookup, listing, and every operation on names
    regular.py      regular files on donated host descriptors
    special.py      symbolic links, FIFOs, sockets, device nodes

With exclusive caching nobody but the sandbox changes the files: what was learnt once is never
asked again.  With shared caching the host may change them at any time: every walk and every stat
asks.  Only this package uses the gofer's client.
"""

from runsc_py.sentry.fs.gofer.filesystem import GoferFileSystem
from runsc_py.sentry.fs.gofer.identity import IdMapper

__all__ = ["GoferFileSystem", "IdMapper"]
