"""The gofer as a process: what it holds, how it ends, what its end means to the client."""

import os
import signal
import socket
from pathlib import Path

import pytest

from harness.gofer import Served, serving
from runsc_py.gofer import process, protocol, reading, server
from runsc_py.gofer.client import GoferClient, GoferError
from runsc_py.gofer.nodes import Gofer
from runsc_py.gofer.process import MountSpec, start_gofer


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def test_it_holds_its_roots_and_nothing_else(served: Served, tree: Path, tmp_path: Path) -> None:
    with (tmp_path / "of-the-parent").open("w"):
        connection = start_gofer([MountSpec(str(tree))])
    client = GoferClient(connection.socket)
    client.stat(client.mount(0)[0])
    fds = Path(f"/proc/{connection.pid}/fd")
    targets = sorted(os.readlink(fd) for fd in fds.iterdir())
    connection.close()
    assert connection.wait() == 0
    assert targets.count("/dev/null") == 3
    rest = [target for target in targets if target != "/dev/null"]
    assert rest.pop().startswith("socket:")
    # the root and the node that mount gave; the one way to open a node again
    assert rest == sorted([str(tree), str(tree), f"/proc/{connection.pid}/fd"])


def test_it_is_a_service(served: Served) -> None:
    status = _status(served.pid)
    assert status["NoNewPrivs"] == "1"
    assert status["Umask"] == "0000"
    assert int(status["SigBlk"], 16) == 0
    assert int(status["SigIgn"], 16) & 1 << signal.SIGINT - 1
    assert os.getsid(served.pid) == served.pid


def test_interrupting_the_terminal_does_not_end_it(served: Served) -> None:
    os.kill(served.pid, signal.SIGINT)
    assert served.client.stat(served.root)


def test_it_ends_when_asked(tree: Path) -> None:
    connection = start_gofer([MountSpec(str(tree))])
    client = GoferClient(connection.socket)
    client.shutdown()
    assert connection.wait() == 0
    with pytest.raises(GoferError, match="asked to end"):
        client.mount(0)
    connection.close()


def test_reaping_twice_is_no_error(tree: Path) -> None:
    connection = start_gofer([MountSpec(str(tree))])
    connection.close()
    assert connection.wait() == 0
    assert connection.wait() is None


def test_it_dies_with_its_parent(tree: Path) -> None:
    """By the kernel, not because the connection closes: this test holds it open."""
    ours, theirs = socket.socketpair()
    parent = os.fork()
    if parent == 0:
        connection = start_gofer([MountSpec(str(tree))])
        data = str(connection.pid).encode()
        socket.send_fds(theirs, [data], [connection.socket.fileno()])
        signal.pause()
        os._exit(0)
    with ours, theirs:
        data, fds, _, _ = socket.recv_fds(ours, 100, 1)
        with socket.socket(fileno=fds[0]) as held:
            client = GoferClient(held)
            assert client.mount(0)
            os.kill(parent, signal.SIGKILL)
            os.waitpid(parent, 0)
            # The test process is a subreaper (conftest.py), so the orphan is ours to reap.
            _, status = os.waitpid(int(data), 0)
            assert os.WTERMSIG(status) == signal.SIGKILL
            with pytest.raises(GoferError):
                client.mount(0)


def test_its_death_is_a_gofer_error(tree: Path) -> None:
    connection = start_gofer([MountSpec(str(tree))])
    client = GoferClient(connection.socket)
    root, _, _ = client.mount(0)
    os.kill(connection.pid, signal.SIGKILL)
    assert connection.wait() == -signal.SIGKILL
    for _ in range(2):
        with pytest.raises(GoferError, match="the gofer is gone"):
            client.stat(root)
    with pytest.raises(GoferError):
        client.open(root, os.O_RDONLY)
    connection.close()


def test_a_bug_is_told_and_ends_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(gofer: Gofer, number: int) -> reading.Reply:
        return (number // 0,)

    monkeypatch.setitem(server._HANDLERS, protocol.STATFS, (broken, (int,)))
    connection = start_gofer([MountSpec(str(tree))])
    client = GoferClient(connection.socket)
    with pytest.raises(GoferError, match=r"ZeroDivisionError.*test_process\.py"):
        client.statfs(client.mount(0)[0])
    assert connection.wait() == 1
    connection.close()


def test_what_keeps_it_from_starting_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_proc(path: str, flags: int) -> int:
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(os, "open", without_proc)
    monkeypatch.setattr(process, "_keep_only", lambda fd: socket.socket(fileno=fd))
    connection = start_gofer([MountSpec(str(tree))])
    monkeypatch.undo()
    assert connection.wait() == 1
    with pytest.raises(GoferError, match="FileNotFoundError.*/proc/self/fd"):
        GoferClient(connection.socket).mount(0)
    connection.close()


def test_it_leaves_quietly_when_the_client_does(tree: Path) -> None:
    """Also in the middle of an answer."""
    for _ in range(20):
        connection = start_gofer([MountSpec(str(tree))])
        connection.socket.send(protocol.encode((protocol.MOUNT, (), 0)))
        connection.close()
        assert connection.wait() == 0


def test_an_endless_stream_of_nodes_leaks_nothing(served: Served, tree: Path) -> None:
    for number in range(50):
        (tree / str(number)).mkdir()
    before = served.descriptors()
    for _ in range(20):
        for name, _, _, _ in served.client.read_directory(served.root):
            node, _ = served.client.lookup(served.root, name)
            served.client.close_node(node)
    served.client.flush_closed()
    assert served.descriptors() == before


def test_a_second_client_mount_is_independent(tmp_path: Path) -> None:
    with serving(MountSpec(str(tmp_path)), MountSpec(str(tmp_path), read_only=False)) as served:
        writable, _, read_only = served.client.mount(1)
        assert not read_only
        served.client.mkdir(writable, b"made", 0o700)
        with pytest.raises(OSError):
            served.client.mkdir(served.root, b"refused", 0o700)
    assert os.listdir(tmp_path) == ["made"]
