"""Fs.Mount, Fs.Umount: what a container has mounted, changed from outside of it.

The sandbox's own kernel mounts, as if the superuser of the container had asked: no path of the host
is involved.
"""

from __future__ import annotations

import os

from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.services.walker import walker_in
from runsc_py.sentry.abi.mount_flags import MS_NOATIME, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.vfs import mounting as vfs
from runsc_py.sentry.vfs.path import Path
from runsc_py.sentry.vfs.unmounting import MNT_DETACH, unmount
from runsc_py.sentry.vfs.walk import cross_down, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control import inspection
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.services.services import Services

FLAGS = {
    "ro": MS_RDONLY,
    "noexec": MS_NOEXEC,
    "nodev": MS_NODEV,
    "nosuid": MS_NOSUID,
    "noatime": MS_NOATIME,
}
BIND = "bind"
#: a page, as mount(2) takes them
LONGEST_OPTIONS = 4095


def mount(services: Services, call: inspection.Mount, files: list[int], later: Deferred) -> None:
    """mount(2)."""
    unknown = [flag for flag in call.flags if flag not in FLAGS]
    if unknown:
        raise ControlError(f"unknown flag {unknown[0]!r}: use {', '.join(FLAGS)}")
    flags = 0
    for flag in call.flags:
        flags |= FLAGS[flag]
    options = os.fsencode(call.options)
    if len(options) > LONGEST_OPTIONS or b"\0" in options:
        raise ControlError("the options are too long, or no text")
    _check_path(call.destination)
    walker = walker_in(services.loader, call.container_id)
    try:
        place = walk(walker, os.fsencode(call.destination))
        if call.kind == BIND:
            _check_path(call.source)
            vfs.bind(walker, walk(walker, os.fsencode(call.source)), place, True)
            if flags:
                place = walk(walker, os.fsencode(call.destination))
                vfs.remount(walker, place, flags | vfs.MS_REMOUNT | vfs.MS_BIND, b"")
        else:
            kind = os.fsencode(call.kind)
            vfs.mount_new(walker, os.fsencode(call.source), place, kind, flags, options)
    except KernelError as error:
        raise ControlError.of_kernel(f"mount {call.destination}", error) from None


def umount(services: Services, call: inspection.Umount, files: list[int], later: Deferred) -> None:
    """umount2(2)."""
    _check_path(call.destination)
    walker = walker_in(services.loader, call.container_id)
    try:
        place = walk(walker, os.fsencode(call.destination))
        place = Path(*cross_down(place.mount, place.dentry))
        unmount(walker, place, MNT_DETACH if call.detach else 0, set())
    except KernelError as error:
        raise ControlError.of_kernel(f"umount {call.destination}", error) from None


def _check_path(path: str) -> None:
    if not path.startswith("/") or "\0" in path:
        raise ControlError(f"{path!r} is not an absolute path")
