"""overlayfs: a writable layer over read-only ones.

    filesystem.py   the mounted instance: its layers, and which inode stands for which
    node.py         what every inode shares: attributes, and copy-up of them
    directory.py    merged directories: lookup, listing, and every operation on names
    moving.py       rename(2) in merged directories
    regular.py      regular files: open, copy-up of their bytes
    special.py      symbolic links, FIFOs, sockets, device nodes
    whiteout.py     the marks in the upper layer
    mounting.py     options of mount(2) and fsconfig(2), by a guest

The rules are those of the Linux kernel's Documentation/filesystems/overlayfs.rst.  The upper layer
holds what was changed, with its whiteouts (character devices 0:0) and opaque directories (an
extended attribute).  What Linux needs extra features for (`index`, `xino`) costs nothing here,
where the identity of an inode is an object in memory: hard links survive a copy-up, inode numbers
never change.  Directories of a lower layer can be renamed in the sandbox's own root, and with
`redirect_dir=on` in a guest's overlay, whose upper layer then says where they were; what a lower
layer says of that kind is not looked at.
"""

from runsc_py.sentry.fs.overlay.filesystem import Overlay

__all__ = ["Overlay"]
