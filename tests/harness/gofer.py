"""A gofer process for a test, and ways to speak to it that its client does not have."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgpack

from runsc_py.gofer.client import GoferClient
from runsc_py.gofer.process import Connection, MountSpec, start_gofer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.gofer.process import Confine


class Served:
    """A running gofer and the root node of its first mount."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = GoferClient(connection.socket)
        self.root = self.client.mount(0)[0]

    @property
    def pid(self) -> int:
        return self.connection.pid

    def node(self, path: str | bytes) -> int:
        """The node of a path beneath the first mount; OSError when it cannot be reached."""
        names = [name for name in os.fsencode(path).split(b"/") if name]
        if not names:
            return self.root
        found, error = self.client.walk(self.root, names)
        if len(found) != len(names):
            raise OSError(error, f"{os.strerror(error)}: {path!r}")
        return found[-1][0]

    def raw(self, packet: bytes) -> list[object]:
        """Send any bytes and return the decoded reply."""
        self.connection.socket.send(packet)
        reply = msgpack.unpackb(self.connection.socket.recv(1 << 20), raw=True)
        assert isinstance(reply, list)
        return reply

    def ask(self, message: int, *fields: object, closed: object = ()) -> list[object]:
        """Send a well-formed request with any fields and return the reply."""
        return self.raw(msgpack.packb([message, closed, *fields]))

    def descriptors(self) -> int:
        """How many descriptors the gofer has open when it waits for the next request.

        It closes what it donated after it has replied.
        """
        while Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            time.sleep(0.001)
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextmanager
def serving(*mounts: MountSpec, confine: "Confine | None" = None) -> Iterator[Served]:
    """A gofer that must have ended well, with status 0, when the block does."""
    connection = start_gofer(mounts, confine)
    try:
        yield Served(connection)
    finally:
        connection.close()
        status = connection.wait()
    assert status == 0


@contextmanager
def serving_directory(directory: Path, read_only: bool = False) -> Iterator[Served]:
    """A gofer for one directory."""
    with serving(MountSpec(str(directory), read_only=read_only)) as served:
        yield served
