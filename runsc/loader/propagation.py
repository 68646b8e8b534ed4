"""Propagation types of a specification: options of mounts, and `linux.rootfsPropagation`."""

from __future__ import annotations

from runsc_py.sentry.vfs.propagation import (
    MS_PRIVATE,
    MS_SHARED,
    MS_SLAVE,
    MS_UNBINDABLE,
    change_propagation,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from runsc_py.sentry.vfs.mount import Mount, MountNamespace

_TYPES = {
    "private": MS_PRIVATE,
    "shared": MS_SHARED,
    "slave": MS_SLAVE,
    "unbindable": MS_UNBINDABLE,
}


def propagate(namespace: MountNamespace, mount: Mount, options: Iterable[str]) -> None:
    """Give a mount the types that are named; with an `r` before, those below it as well.

    Other options are none of these.
    """
    for option in options:
        recursive = option not in _TYPES
        kind = _TYPES.get(option[1:] if recursive and option[:1] == "r" else option)
        if kind is not None:
            for one in list(mount.subtree()) if recursive else [mount]:
                change_propagation(one, kind, namespace.numbers)
