"""The options of an OCI mount: flags for the sentry's mount, and data for its file system."""

from runsc_py.sentry.abi.mount_flags import (
    MS_NOATIME,
    MS_NODEV,
    MS_NODIRATIME,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_RDONLY,
    MS_RELATIME,
    MS_STRICTATIME,
)

#: (flags to set, flags to clear) by option, as mount(8) has them
_FLAGS = {
    "ro": (MS_RDONLY, 0),
    "rw": (0, MS_RDONLY),
    "nosuid": (MS_NOSUID, 0),
    "suid": (0, MS_NOSUID),
    "nodev": (MS_NODEV, 0),
    "dev": (0, MS_NODEV),
    "noexec": (MS_NOEXEC, 0),
    "exec": (0, MS_NOEXEC),
    "nosymfollow": (MS_NOSYMFOLLOW, 0),
    "symfollow": (0, MS_NOSYMFOLLOW),
    "noatime": (MS_NOATIME, MS_RELATIME | MS_STRICTATIME),
    "atime": (0, MS_NOATIME),
    "nodiratime": (MS_NODIRATIME, 0),
    "diratime": (0, MS_NODIRATIME),
    "relatime": (MS_RELATIME, MS_NOATIME | MS_STRICTATIME),
    "norelatime": (0, MS_RELATIME),
    "strictatime": (MS_STRICTATIME, MS_NOATIME | MS_RELATIME),
    "nostrictatime": (0, MS_STRICTATIME),
}
_MEANINGLESS = (
    "defaults bind rbind async sync dirsync silent loud mand nomand iversion noiversion "
    "lazytime nolazytime acl noacl private rprivate shared rshared slave rslave unbindable "
    "runbindable tmpcopyup idmap ridmap copy nocopy z Z U"
)
#: what they ask for is always so, is the host's business, or (loader/propagation.py) comes later
_IGNORED = frozenset(_MEANINGLESS.split())


def parse_mount_options(options: list[str]) -> tuple[int, list[str]]:
    """Flags of the mount, and what is left for the file system."""
    flags, data = MS_RELATIME, []
    for option in options:
        name = option[1:] if option[:1] == "r" and option[1:] in _FLAGS else option
        if name in _FLAGS:
            added, removed = _FLAGS[name]
            flags = flags & ~removed | added
        elif option not in _IGNORED:
            data.append(option)
    return flags, data


def mount_option_names() -> list[str]:
    """All that mean something to every mount, the recursive forms included."""
    return sorted({*_FLAGS, *(f"r{name}" for name in _FLAGS), *_IGNORED})
