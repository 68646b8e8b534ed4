"""The gofer of a sandbox's root container: forked before the sentry is imported.

A process of Python's that is forked shares memory with its maker only until either counts a
reference in it: what the gofer does not use should not be there yet.
"""

from __future__ import annotations

from runsc_py.gofer.process import raise_descriptor_limit, start_gofer
from runsc_py.runsc.confinement import walls
from runsc_py.runsc.loader.gofer_mounts import plan_gofer_mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.gofer.process import Connection
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.loader.gofer_mounts import GoferMountConfiguration
    from runsc_py.runsc.oci.spec import Spec


class RootGofer:
    """It runs, and opens the sources of its mounts."""

    __slots__ = ("connection", "layers")

    def __init__(self, connection: Connection, layers: list[GoferMountConfiguration]) -> None:
        self.connection = connection
        #: of each mount
        self.layers = layers


def start_root_gofer(spec: Spec, config: Config) -> RootGofer:
    """Fork it, with the limit of descriptors that the sandbox has too.  Raises RunscError."""
    raise_descriptor_limit(config.fdlimit)
    mounts, layers = plan_gofer_mounts(spec, config)
    return RootGofer(start_gofer(mounts, walls.confine_gofer), layers)
