"""Containers of the Python API: images, several in one sandbox, ports, events, pauses."""

import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from socket import socket

import pytest

from harness.images import busybox_layer, directory, docker_archive, entry
from harness.processes import descendants, settle
from runsc_py.runsc import RunscError, Sandbox

LIMIT = 60.0
SERVER = """
import socket
listener = socket.create_server(("127.0.0.1", 8000))
while True:
    stream, _ = listener.accept()
    with stream:
        stream.recv(1000)
        stream.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nanswer")
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One for all."""
    with Sandbox() as made:
        yield made


@pytest.fixture
def image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `docker save` writes, and a cache of its own."""
    monkeypatch.setenv("RUNSC_PY_CACHE", str(tmp_path / "cache"))
    layer = busybox_layer(
        directory("home"), directory("home/anna", uid=7, gid=8),
        entry("etc/passwd", b"root:x:0:0::/:/bin/sh\nanna:x:7:8::/home/anna:/bin/sh\n"),
    )  # fmt: skip
    settings = {"User": "anna", "Env": ["A=1", "B=2"], "WorkingDir": "/home/anna"}
    return docker_archive(tmp_path / "image.tar", [layer], "test:1", **settings)


def test_an_image(image: Path) -> None:
    """Its files with their owners, its user, its variables, its directory."""
    with Sandbox(image=image, env={"B": "3"}) as box:
        done = box.run("pwd; id -u; id -g; echo $A $B $HOME; stat -c '%u %g' /home/anna /bin")
        assert done.text == "/home/anna\n7\n8\n1 3 /home/anna\n7 8\n0 0\n"
        assert box.run("pwd; id -u", cwd="/", user="root").text == "/\n0\n"
        with box.add_container(image=image, cwd="/home") as other:
            assert other.run("pwd; id -u").text == "/home\n7\n"
    with Sandbox(image="test:1") as again:
        assert again.run("id -un").text == "anna\n"
    with pytest.raises(RunscError, match="leave rootfs out"):
        Sandbox(image=image, rootfs="/")
    with pytest.raises(RunscError, match="no such file"):
        Sandbox(image="nowhere:1")


def test_containers_share_a_kernel_and_no_files(box: Sandbox) -> None:
    """Files and processes of their own; one network; the end of one leaves the others alone."""
    box.files.write("/mark", "first")
    with box.events() as events, box.add_container(env={"NAME": "second"}) as second:
        assert second.run("test -e /mark; echo $? $NAME").text == "1 second\n"
        second.files.write("/mark", "second")
        assert box.files.read_text("/mark") == "first"
        assert {one.path for one in second.changes()} >= {"/mark"}
        server = box.start(["python3", "-c", SERVER])
        program = second.start("sleep 600")
        deadline = time.monotonic() + LIMIT
        fetch = ["python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000))"]
        while not second.run(fetch).ok:
            assert time.monotonic() < deadline
        assert server.poll() is None
        second.close()
        happened = [(one.kind, one.container) for one in (next(events), next(events))]
        assert happened == [("started", second.identifier), ("exited", second.identifier)]
    assert program.wait().reason == "sandbox"
    server.kill()
    assert server.wait(LIMIT).signal == 9
    with pytest.raises(RunscError, match="does not exist"):
        second.run("true")
    assert box.run("true").ok


def connected(box: Sandbox) -> socket:
    """A connection to the server, once it listens."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return box.connect(8000)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_ports(box: Sandbox) -> None:
    """A connection of ours, and a port of the host's for everybody, until it is closed."""
    with pytest.raises(ConnectionRefusedError):
        box.connect(9)
    with box.start(["python3", "-c", SERVER]):
        with connected(box) as stream:
            stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert stream.recv(1000).startswith(b"HTTP/1.0 200")
        with box.forward(8000) as port:
            address = f"http://{port.address}:{port.port}/"
            with urllib.request.urlopen(address, timeout=LIMIT) as answer:
                assert answer.read() == b"answer"
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(address, timeout=LIMIT)
    with pytest.raises(RunscError, match="cannot listen at"):
        box.forward(8000, address="192.0.2.1")


def test_the_whole_sandbox(box: Sandbox) -> None:
    """Stopped for a while, measured, limited anew."""
    program = box.start("while :; do echo; sleep 0.01; done")
    program.read(LIMIT)
    with box.paused():
        while True:
            try:
                program.read(0.3)
            except TimeoutError:
                break
    program.read(LIMIT)
    program.kill()
    program.wait(LIMIT)
    assert box.usage().containers == {box.identifier: box.usage().anonymous}
    assert box.stats().pids_current == 1
    box.update(pids=2, memory="1G")
    assert box.stats().memory_limit == 1 << 30
    assert not box.run("sleep 0 & sleep 0 & wait").ok
    box.update(pids=-1, memory=-1)
    assert box.run("sleep 0 & sleep 0 & wait").ok


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No directory, no descriptor, no child, however it was used."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before, children = len(os.listdir("/proc/self/fd")), set(descendants())
    with Sandbox() as box:
        box.start("sleep 600")
        box.add_container().start("sleep 600", terminal=(24, 80))
        with box.events() as events:
            box.add_container().close()
            assert next(events).kind == "started"
    with pytest.raises(RunscError, match="nowhere"):
        Sandbox(rootfs="/nowhere")
    assert os.listdir(tmp_path) == []
    assert not settle(children, LIMIT, kill=False)
    assert len(os.listdir("/proc/self/fd")) == before
