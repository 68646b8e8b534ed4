"""What a bind mount has of the host's mount that it shows, as bind mounts of Linux have.

A file system that the host mounted without set-user-ID programs, without devices or without the
right to execute is no more inside, unless the specification says the contrary.
"""

import os

from runsc_py.runsc.oci.spec import Spec

#: of statvfs(3), the option that sets each, and the one that clears it
FLAGS = (
    (os.ST_RDONLY, "ro", "rw"),
    (os.ST_NOSUID, "nosuid", "suid"),
    (os.ST_NODEV, "nodev", "dev"),
    (os.ST_NOEXEC, "noexec", "exec"),
    (os.ST_NOATIME, "noatime", "atime"),
    (os.ST_NODIRATIME, "nodiratime", "diratime"),
)


def inherit_flags(spec: Spec) -> None:
    """Add them to the options of the specification's bind mounts."""
    for mount in spec.mounts:
        if not mount.is_bind:
            continue
        try:
            flags = os.statvfs(mount.source).f_flag
        except OSError:
            continue  # who mounts it will say what is the matter
        said = {option.removeprefix("r") for option in mount.options} | set(mount.options)
        missing = [
            option
            for flag, option, contrary in FLAGS
            if flags & flag and not {option, contrary} & said
        ]
        if missing:
            mount.options = [*mount.options, *missing]
