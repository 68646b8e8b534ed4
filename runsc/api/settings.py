"""What containers of the API are to be like: arguments checked, an image prepared."""

from __future__ import annotations

import os
from typing import TypedDict

from runsc_py.runsc.api.arguments import environment_of, size_of, volumes_of
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import TmpfsMount, Volume, parse_tmpfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runsc_py.runsc.images.running import PreparedImage

#: bytes of both outputs of a program that is given no other limit
OUTPUT = 16 << 20


class ContainerOptions(TypedDict, total=False):
    """Of `Sandbox`, `Sandbox.add_container`, and of the sandbox that `run` makes."""

    #: as `runsc-py run --image` takes it: its root directory, variables, user, working directory
    image: str | os.PathLike[str]
    #: another root directory than the host's
    rootfs: str | os.PathLike[str]
    #: {"host path": "/place"}, read-only, or "/place:rw"
    volumes: Mapping[str | os.PathLike[str], str]
    #: {"/place": "64M"}; None for half of the memory
    tmpfs: Mapping[str, int | str | None]
    #: variables, working directory and "USER[:GROUP]", unless a program is started with others
    env: Mapping[str, str]
    cwd: str
    user: str
    #: limits of a program, unless it is started with others: seconds, of time and of processor
    #: time, and bytes of both outputs
    wall: float
    cpu: float
    output: int | str | None


class Settings:
    """One container."""

    def __init__(self, options: ContainerOptions) -> None:
        """Raises RunscError."""
        if "image" in options and "rootfs" in options:
            raise RunscError("an image has a root directory of its own; leave rootfs out")
        self.rootfs = os.path.abspath(os.fspath(options.get("rootfs", "/")))
        self.volumes: list[Volume] = volumes_of(options.get("volumes"))
        self.tmpfs: list[TmpfsMount] = [
            parse_tmpfs(place if size is None else f"{place}:{size}")
            for place, size in options.get("tmpfs", {}).items()
        ]
        self.environment = environment_of(options.get("env"))
        self.working_directory = options.get("cwd", "/")
        self.user = options.get("user", "")
        self.wall = options.get("wall")
        self.cpu = options.get("cpu")
        output = options.get("output", OUTPUT)
        self.output = None if output is None else size_of("output", output)
        # Of the sandbox, whose first container this is, or else of the one that it belongs to.
        self.sandbox: str | None = None
        self.host_name = "sandbox"
        self.network = "none"
        self.memory: int | None = None
        self.pids: int | None = None
        #: nobody removes it as long as this is open
        self.image: PreparedImage | None = None
        if "image" in options:
            self._prepare(os.fspath(options["image"]), options)

    def _prepare(self, name: str, options: ContainerOptions) -> None:
        from runsc_py.runsc.images.running import prepare_image

        self.image = prepare_image(name)
        self.rootfs = self.image.root
        config = self.image.config
        self.environment = environment_of(config.variables() | dict(options.get("env", {})))
        self.working_directory = options.get("cwd", config.working_directory or "/")
        self.user = options.get("user", config.user)

    def close(self) -> None:
        """The image may be removed now."""
        if self.image is not None:
            self.image.close()
            self.image = None
