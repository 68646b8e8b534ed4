"""`runsc-py port-forward ID …`: reach a TCP port inside of a sandbox."""

import os
import socket
import sys

from runsc_py.runsc.arguments import CONTAINER, FILE, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

SYNTAX = Syntax(
    "runsc-py [options] port-forward [options] ID [LOCAL:]REMOTE",
    "Connect to a TCP port of the loopback interface of a container's sandbox.",
    (
        (
            "options",
            (
                Option(
                    "--stream",
                    "SOCKET",
                    "connect this unix socket to port REMOTE, and end",
                    completes=FILE,
                ),
                Option("--address", "ADDRESS", "to listen at (default: 127.0.0.1)"),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
With LOCAL:REMOTE it listens at the host's port LOCAL (0: any, it is printed) until it is
interrupted; with REMOTE alone standard input and output are connected.

examples:
  runsc-py port-forward web 8080:80
  runsc-py port-forward --stream ./http.sock web 80
""",
)


def _forward(container: "Container", parsed: Parsed) -> int:
    if len(parsed.operands) != 2:
        raise RunscError("port-forward needs the id of a container and [LOCAL:]REMOTE")
    local, colon, remote = parsed.operands[1].rpartition(":")
    port = _port(remote)
    if (path := parsed.last("stream")) is not None:
        if colon:
            raise RunscError("port-forward: --stream takes REMOTE only")
        _forward_stream(container, port, path)
    elif colon:
        address = parsed.last("address") or "127.0.0.1"
        _listen(container, address, _port(local, least=0), port)
    else:
        _connect_standard_files(container, port)
    return 0


def _port(text: str, least: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) < 1 << 16):
        raise RunscError(f"port-forward: {text!r} is no port; use for example 8080:80")
    return int(text)


def _give(container: "Container", port: int, stream: socket.socket) -> None:
    """Have the sandbox connect a stream, which it gets a copy of.  Raises ControlError."""
    with container.client() as client:
        client.port_forward(container.identifier, port, stream.fileno())


def _forward_stream(container: "Container", port: int, path: str) -> None:
    from runsc_py.runsc.control.client import connect

    try:
        stream = socket.socket(fileno=connect(path).detach())
    except OSError as error:
        raise RunscError(f"--stream {path}: {error.strerror}") from None
    with stream:
        _give(container, port, stream)


def _listen(container: "Container", address: str, local: int, remote: int) -> None:
    """Take connections until we are interrupted; those that were made go on without us."""
    from runsc_py.runsc.control.errors import CLOSED, ControlError

    try:
        listener = socket.create_server((address, local), reuse_port=False)
    except OSError as error:
        raise RunscError(f"cannot listen at {address}:{local}: {error.strerror}") from None
    with listener:
        print(f"{address}:{listener.getsockname()[1]}", flush=True)
        while True:
            stream, _ = listener.accept()
            with stream:
                try:
                    _give(container, remote, stream)
                except ControlError as error:
                    sys.stderr.write(f"runsc-py: {error}\n")
                    if error.code == CLOSED:
                        raise


def _connect_standard_files(container: "Container", port: int) -> None:
    """Copy both ways; each direction may end before the other, and wait for its reader."""
    from threading import Thread

    ours, theirs = socket.socketpair()
    with theirs:
        _give(container, port, theirs)
    with ours:
        Thread(target=_copy_input, args=(ours,), daemon=True).start()
        while data := ours.recv(1 << 16):
            while data:
                data = data[os.write(1, data) :]


def _copy_input(stream: socket.socket) -> None:
    try:
        while data := os.read(0, 1 << 16):
            stream.sendall(data)
        stream.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the other direction has ended, and with it the connection


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Forward."""
    return with_container(SYNTAX, name, words, config, log, _forward, most=2)
