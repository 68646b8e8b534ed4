"""The walls around a sentry and a gofer that need no privilege: Landlock and a seccomp filter.

Landlock comes first, before the sentry's stubs: who is restricted may trace only processes that are
restricted as well.  The filter comes last, when everything is open and no guest has run yet.

Where the host has no Landlock, that wall is missing; where it refuses the filter there is no
platform either.
"""

from __future__ import annotations

import os

from runsc_py.runsc.confinement._walls import ffi, lib
from runsc_py.runsc.confinement.modules import library_paths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runsc_py.gofer.nodes import Mount

_PLACE = os.O_PATH | os.O_CLOEXEC
#: where libraries are that extension modules need
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_STANDARD_ERROR = 2

#: landlock(7): EXECUTE, READ_FILE, READ_DIR; WRITE_FILE, MAKE_REG, TRUNCATE; whatever there is
_READ, _MAKE_FILES, _ALL = 1 | 4 | 8, 2 | 1 << 8 | 1 << 14, (1 << 16) - 1

#: of the sentry, as native/stub.c leaves them to stubs: IPC_LOCK, SYS_NICE and SYS_RESOURCE.  Who
#: has fewer could not trace them.
_OF_STUBS = (14, 23, 24)
#: with the host's network: NET_BIND_SERVICE, NET_BROADCAST, NET_ADMIN and NET_RAW
_OF_THE_NETWORK = (10, 11, 12, 13)
#: of a gofer: CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, LINUX_IMMUTABLE, SYS_RESOURCE,
#: MKNOD and SETFCAP
_OF_FILES = (0, 1, 2, 3, 4, 9, 24, 27, 31)

_CALL = "%CALL%"


def last_words(who: str) -> str:
    """What is said when a filter has refused a call, which takes the place of %CALL%."""
    return f"{who} was ended: the host's system call {_CALL} is none of its own (see SECURITY.md)"


def restrict_sentry(*, network: bool) -> bool:
    """From now on only our library and /proc can be read by path, and nothing be written.

    Whether the host has Landlock.
    """
    paths = ["/proc", *library_paths(), *filter(os.path.exists, _LIBRARIES)]
    places = [os.open(path, _PLACE) for path in paths]
    try:
        return _restrict([(place, _READ) for place in places], network=network)
    finally:
        for place in places:
            os.close(place)


def restrict_sentry_in_namespace(*, network: bool) -> bool:
    """The same but for paths, which are to lead nowhere by another wall."""
    return _restrict(None, network=network)


def drop_sentry_capabilities(*, network: bool) -> None:
    """All that its stubs do not have either."""
    keep_capabilities(_OF_STUBS + _OF_THE_NETWORK if network else _OF_STUBS)


def seal_sentry(*, network: bool, control: bool, report: tuple[int, bytes] | None = None) -> None:
    """From now on this process makes no system call but a sentry's.  Raises OSError.

    `report`: where its last words go, and what they are.
    """
    which = lib.WALLS_SENTRY
    if network:
        which |= lib.WALLS_NETWORK
    if control:
        which |= lib.WALLS_CONTROL
    _install_filter(which, report or _on_standard_error("the sentry"))


def waiter_filter() -> bytes:
    """What a process that waits for a container installs as the last thing it does in Python."""
    size = lib.walls_filter_size(lib.WALLS_WAITER)
    return ffi.buffer(lib.walls_filter_program(lib.WALLS_WAITER), size)[:]


def confine_gofer(mounts: Sequence[Mount]) -> None:
    """Leave this process, a gofer, the files of its mounts and the calls to serve them.

    Raises OSError.
    """
    places = [(mount.root, _rights(mount)) for mount in mounts if mount.root >= 0]
    _restrict(places, network=False, moves=not all(mount.read_only for mount in mounts))
    keep_capabilities(_OF_FILES)
    _install_filter(lib.WALLS_GOFER, _on_standard_error("the gofer"))


def _rights(mount: Mount) -> int:
    """For Landlock, beneath the root of a mount."""
    if mount.is_store:
        return _READ | _MAKE_FILES
    return _READ if mount.read_only else _ALL


def _restrict(places: list[tuple[int, int]] | None, *, network: bool, moves: bool = False) -> bool:
    """landlock(7) for this process; `places`: descriptors with the rights there, None for all."""
    flags = lib.WALLS_PORTS if network else 0
    if places is not None:
        flags |= lib.WALLS_PATHS
    if moves:
        flags |= lib.WALLS_MOVES
    array = ffi.new("struct walls_place[]", places or [])
    return bool(_check(lib.walls_restrict(array, len(places or ()), flags)))


def keep_capabilities(kept: tuple[int, ...]) -> None:
    """Give up all others.  Raises OSError."""
    _check(lib.walls_keep_capabilities(sum(1 << number for number in kept)))


def _on_standard_error(who: str) -> tuple[int, bytes]:
    return _STANDARD_ERROR, f"runsc-py: {last_words(who)}\n".encode()


def _install_filter(which: int, report: tuple[int, bytes]) -> None:
    descriptor, words = report
    before, _, after = words.partition(_CALL.encode())
    _check(lib.walls_install_filter(which, descriptor, before, after))


def _check(result: int) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result
