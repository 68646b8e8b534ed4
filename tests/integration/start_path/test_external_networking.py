"""Lifecycle.PauseExternalNetworking: a sandbox on the host's network that reaches nobody."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from harness.pod import LIMIT, ROOT, SANDBOX, SLEEP, Pod
from runsc_py.runsc.control.calls import PauseExternalNetworking, ResumeExternalNetworking
from runsc_py.runsc.control.errors import UNSUPPORTED, ControlError

NOTHING = type(None)
HEAD = b"HTTP/1.0 200 OK\r\n\r\n"


def address() -> str:
    """This machine's, as others know it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("the machine has no network")
        found: str = probe.getsockname()[0]
        return found


class Server:
    """Answers with one line, and with another one when it is told to."""

    def __init__(self, host: str) -> None:
        self._listener = socket.create_server((host, 0))
        self.url = f"http://{host}:{self._listener.getsockname()[1]}/"
        self.go_on = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it is closed
                return
            with connection:
                connection.recv(1 << 16)
                connection.sendall(HEAD + b"first\n")
                if self.go_on.wait(LIMIT):
                    connection.sendall(b"second\n")

    def close(self) -> None:
        """Serve nobody any more."""
        self.go_on.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LIMIT)


@pytest.fixture
def connected(empty: Pod) -> Iterator[Pod]:
    """A sandbox with the host's network: its specification wants no other."""
    namespaces = [{"type": name} for name in ("pid", "ipc", "uts", "mount")]
    changes = {"annotations": SANDBOX, "linux": {"namespaces": namespaces}}
    bundle = empty.bundle(SLEEP, changes)
    pid_file = empty.folder / f"{ROOT}.pid"
    words = ("create", "--bundle", bundle, "--pid-file", pid_file, ROOT)
    created = empty("--network=host", *words)
    assert created.status == 0, created
    assert empty("start", ROOT).status == 0
    yield empty


def await_content(pod: Pod, expected: str) -> None:
    """Until this was received."""
    deadline = time.monotonic() + LIMIT
    while pod("exec", ROOT, "cat", "/tmp/got").stdout != expected:
        assert time.monotonic() < deadline, f"{expected!r} does not come"
        time.sleep(0.01)


def test_nothing_passes_until_it_is_resumed(connected: Pod) -> None:
    """A connection waits, new ones fail at once, loopback goes on."""
    outside, inside = Server(address()), Server("127.0.0.1")
    inside.go_on.set()
    script = f"wget -qO - {outside.url} > /tmp/got"
    try:
        assert connected("exec", "--detach", ROOT, "sh", "-c", script).status == 0
        await_content(connected, "first\n")
        with connected.client() as client:
            client.call(PauseExternalNetworking(), NOTHING)
            outside.go_on.set()
            refused = connected("exec", ROOT, "wget", "-qO", "-", outside.url)
            assert refused.status != 0 and "Network is unreachable" in refused.stderr
            local = connected("exec", ROOT, "wget", "-qO", "-", inside.url)
            assert local.stdout == "first\nsecond\n"
            assert connected("exec", ROOT, "cat", "/tmp/got").stdout == "first\n"
            client.call(ResumeExternalNetworking(), NOTHING)
        await_content(connected, "first\nsecond\n")
        assert "second" in connected("exec", ROOT, "wget", "-qO", "-", outside.url).stdout
    finally:
        outside.close()
        inside.close()


@pytest.mark.parametrize("call", [PauseExternalNetworking(), ResumeExternalNetworking()])
def test_a_sandbox_without_it(
    pod: Pod, call: PauseExternalNetworking | ResumeExternalNetworking
) -> None:
    """There is nothing to pause; the answer says what to do."""
    with pod.client() as client, pytest.raises(ControlError, match="--network=host") as refused:
        client.call(call, NOTHING)
    assert refused.value.code == UNSUPPORTED
