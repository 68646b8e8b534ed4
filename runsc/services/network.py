"""containerManager.GetNetworkConfig: the network that programs in the sandbox have."""

from __future__ import annotations

from socket import AF_INET, inet_ntop

from runsc_py.runsc.control.inspection import NetworkConfig, NetworkInterface
from runsc_py.sentry.abi.sockets import (
    IFREQ,
    SIOCGIFADDR,
    SIOCGIFMTU,
    SIOCGIFNETMASK,
)
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.socket.interfaces import (
    LOOPBACK_ADDRESSES,
    LOOPBACK_INDEX,
    LOOPBACK_MTU,
    LOOPBACK_NAME,
    ask_host,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.control import inspection
    from runsc_py.runsc.control.server import Deferred
    from runsc_py.runsc.services.services import Services

AF_INET6 = 10


def configuration(
    services: Services, call: inspection.GetNetworkConfig, files: list[int], later: Deferred
) -> NetworkConfig:
    """Of the network namespace that containers share."""
    if services.loader.namespaces.network.uses_host:
        return NetworkConfig("host", _host_interfaces())
    addresses = [
        f"{inet_ntop(AF_INET if len(host) == 4 else AF_INET6, host)}/{bits}"
        for host, bits in LOOPBACK_ADDRESSES
    ]
    loopback = NetworkInterface(LOOPBACK_NAME.decode(), LOOPBACK_INDEX, LOOPBACK_MTU, addresses)
    return NetworkConfig("sandbox", [loopback])


def _host_interfaces() -> list[NetworkInterface]:
    """Those of the network namespace that the sandbox's process is in, with IPv4 addresses."""
    from _socket import if_nameindex

    return [
        NetworkInterface(name, index, _number(name), _addresses(name))
        for index, name in if_nameindex()
    ]


def _ask(request: int, name: str) -> bytes:
    """The union of struct ifreq; empty when the interface has no such thing."""
    try:
        _, value = IFREQ.unpack(ask_host(request, IFREQ.pack(name.encode(), b"")))
    except KernelError:
        return b""
    return bytes(value)


def _number(name: str) -> int:
    return int.from_bytes(_ask(SIOCGIFMTU, name)[:4], "little")


def _addresses(name: str) -> list[str]:
    address, mask = _ask(SIOCGIFADDR, name)[4:8], _ask(SIOCGIFNETMASK, name)[4:8]
    if not address or not mask:
        return []
    return [f"{inet_ntop(AF_INET, address)}/{int.from_bytes(mask, 'big').bit_count()}"]
