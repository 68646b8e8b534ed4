"""A TCP port of a sandbox at the host, for as long as somebody holds it."""

from __future__ import annotations

import subprocess

from runsc_py.runsc.api.arguments import own_command, own_environment
from runsc_py.runsc.api.closing import Closing
from runsc_py.runsc.errors import RunscError


class PortForward(Closing):
    """`runsc-py port-forward` as a child of ours: connections are made without our help."""

    def __init__(self, state: str, identifier: str, address: str, local: int, remote: int) -> None:
        """Listen.  Raises RunscError."""
        words = own_command(f"--root={state}", "port-forward")
        self._child = subprocess.Popen(
            [*words, f"--address={address}", identifier, f"{local}:{remote}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
            env=own_environment(),
        )
        assert self._child.stdout is not None and self._child.stderr is not None
        line = self._child.stdout.readline().strip()
        host, _, port = line.rpartition(":")
        if not host:
            complaint = self._child.stderr.read().strip().removeprefix("runsc-py: ")
            self.close()
            raise RunscError(complaint or "the port cannot be forwarded")
        #: where it listens
        self.address = host
        self.port = int(port)

    def close(self) -> None:
        """Listen no more; connections that were made go on.  Nothing happens twice."""
        self._child.terminate()
        self._child.wait()
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()
