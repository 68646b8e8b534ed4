"""The network of the host that the process of a container's sandbox is in.

Engines configure the network of a container by way of its process, the sandbox: what they do to
`/proc/PID/ns/net` must not meet the host's own network.  Without `--network host` there is nothing
to configure, and the sandbox is in an empty namespace; with it the specification decides, as for
any container.
"""

from __future__ import annotations

import os

from runsc_py.runsc.confinement import host_calls
from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.oci.spec import Spec
    from runsc_py.runsc.sandbox_log import SandboxLog


def enter_network(spec: Spec, config: Config, log: SandboxLog) -> None:
    """Leave the host's network namespace, or join the one that is named.

    Who may not make a namespace stays where they are: the sentry is then kept from the host's
    sockets by its filter alone.  Raises RunscError.
    """
    uses_host = config.network == "host"
    wanted = spec.namespace("network")
    if uses_host and wanted is None:
        return
    if uses_host and wanted is not None and wanted.path:
        _join(wanted.path)
        return
    try:
        host_calls.unshare(host_calls.CLONE_NEWNET)
        if uses_host:
            _raise_loopback()
    except OSError as error:
        message = f"the sandbox stays in its starter's network namespace: {error.strerror}"
        (log.warning if uses_host else log.debug)(message)


def _join(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        host_calls.join_namespace(descriptor, host_calls.CLONE_NEWNET)
    except OSError as error:
        raise RunscError(f"joining network namespace {path}: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _raise_loopback() -> None:
    """A new namespace's `lo` is down: netdevice(7)."""
    import fcntl
    import struct
    from socket import AF_INET, SOCK_CLOEXEC, SOCK_DGRAM, socket

    from runsc_py.sentry.abi.sockets import IFF_UP, SIOCSIFFLAGS

    with socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", IFF_UP))
