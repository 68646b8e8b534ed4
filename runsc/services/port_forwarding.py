"""PortForward: a stream of the host connected to a TCP port inside.

The sandbox makes the connection itself, from a socket of its own network namespace to the loopback
address, and passes bytes both ways (sentry/socket/relay.py).
"""

from __future__ import annotations

import socket

from runsc_py.runsc.control.errors import STATE, ControlError
from runsc_py.runsc.services.walker import walker_in
from runsc_py.sentry.abi.sockets import AF_INET, AF_INET6, SOCK_STREAM
from runsc_py.sentry.errors import ECONNREFUSED, EINPROGRESS, KernelError
from runsc_py.sentry.socket.addresses import LOOPBACK4, LOOPBACK6, Endpoint, encode
from runsc_py.sentry.socket.families import make_socket
from runsc_py.sentry.socket.relay import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control import calls
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.loader.loader import Loader
    from runsc_py.sentry.kernel.kernel_thread import KernelThread
    from runsc_py.sentry.socket.socket import Socket

#: connections at a time, of the whole sandbox
MOST_FORWARDED = 256
#: where a server may listen
LOOPBACKS = ((AF_INET, LOOPBACK4), (AF_INET6, LOOPBACK6))


class PortForwarder:
    """Handler of PortForward, and the connections it has made."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._connections: set[Relay] = set()

    def forward(self, call: calls.PortForward, files: list[int], later: Deferred) -> None:
        """Connect; the bytes then pass without anybody asking again."""
        if len(files) != 1:
            raise ControlError(f"port forward arguments must contain 1 FD, but got {len(files)}")
        if not 0 < call.port < 1 << 16:
            raise ControlError(f"invalid port {call.port}")
        if len(self._connections) >= MOST_FORWARDED:
            raise ControlError("too many forwarded connections", STATE, 11)
        walker = walker_in(self._loader, call.container_id)
        inner = _connect(walker, call.port)
        try:
            outer = socket.socket(fileno=files[0])
        except OSError as error:
            inner.drop()
            raise ControlError(f"the stream is no socket: {error.strerror}") from None
        files.clear()
        self._connections.add(Relay(walker, inner, outer, forget=self._connections.discard))


def _connect(walker: KernelThread, port: int) -> Socket:
    """A connection to the first loopback address that somebody listens at."""
    for family, host in LOOPBACKS:
        inner = make_socket(walker, family, SOCK_STREAM, 0, 0)
        inner.acquire()
        try:
            inner.connect(walker, encode(family, Endpoint(host, port)))
        except EINPROGRESS:
            return inner
        except ECONNREFUSED:
            inner.drop()
            continue
        except KernelError as error:
            inner.drop()
            raise ControlError.of_kernel(f"port {port}", error) from None
        return inner
    raise ControlError.of_kernel(f"port {port}", ECONNREFUSED())
