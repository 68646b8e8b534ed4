"""`--host-uds`: programs of a container and of the host meet at socket files of a volume."""

import os
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.compiler import compile_c
from harness.containers import BUSYBOX, Engine
from harness.live import eventually
from harness.sandbox import EXECUTABLE

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

LIMIT = 30.0
KINDS = {
    "stream": socket.SOCK_STREAM,
    "packet": socket.SOCK_SEQPACKET,
    "datagram": socket.SOCK_DGRAM,
}
#: talks to a socket: `peer client|server KIND PATH`; a client sends "question" and 200 kB, a
#: server answers each message in capitals until the end
PEER = r"""
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char data[4096];

static int fail(const char *what) {
    printf("%s: %s\n", what, strerror(errno));
    return 1;
}

static int serve(int fd, int kind) {
    ssize_t count;
    if (kind != SOCK_DGRAM) {
        if (listen(fd, 4) < 0) return fail("listen");
        puts("listening");
        fflush(stdout);
        fd = accept(fd, NULL, NULL);
        if (fd < 0) return fail("accept");
        struct ucred who;
        socklen_t size = sizeof who;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0)
            printf("from pid %d uid %u\n", who.pid, who.uid);
    } else {
        puts("listening");
        fflush(stdout);
    }
    while ((count = recv(fd, data, sizeof data, 0)) > 0) {
        if (kind == SOCK_DGRAM) {
            printf("got %.*s\n", (int)count, data);
            return 0;
        }
        for (ssize_t i = 0; i < count; i++) data[i] = (char)toupper(data[i]);
        if (send(fd, data, (size_t)count, MSG_NOSIGNAL) < 0) return fail("send");
    }
    puts("end");
    return 0;
}

static int ask(int fd, int kind) {
    long total = 0;
    ssize_t count;
    if (send(fd, "question", 8, MSG_NOSIGNAL) != 8) return fail("send");
    if (kind == SOCK_DGRAM) return 0;
    count = recv(fd, data, sizeof data, 0);
    printf("%.*s\n", (int)count, data);
    for (int i = 0; i < 50; i++) {
        memset(data, 'a' + i % 26, sizeof data);
        if (send(fd, data, sizeof data, MSG_NOSIGNAL) != sizeof data) return fail("send");
        long part = 0;
        while (part < (long)sizeof data && (count = recv(fd, data, sizeof data, 0)) > 0)
            part += count;
        total += part;
    }
    shutdown(fd, SHUT_WR);
    printf("%ld and then %zd\n", total, recv(fd, data, sizeof data, 0));
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int kind = atoi(argv[2]);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[3], sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, kind, 0);
    if (argv[1][0] == 's') {
        unlink(argv[3]);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return fail("bind");
        return serve(fd, kind);
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return fail("connect");
    return ask(fd, kind);
}
"""


class World:
    """An engine, a volume with the program, and bundles that run it."""

    def __init__(self, engine: Engine, volume: Path, program: Path) -> None:
        self.engine, self.volume, self.program = engine, volume, program

    def bundle(
        self, *words: object, options: tuple[str, ...] = ("bind",), destination: str = "/v",
        change: Callable[[Any], None] | None = None,
    ) -> Path:  # fmt: skip
        def add(document: Any) -> None:
            document["mounts"].append(
                {"destination": destination, "type": "bind", "source": str(self.volume),
                 "options": list(options)}
            )  # fmt: skip
            if change is not None:
                change(document)

        bundle = self.engine.bundle("/bin/peer", *map(str, words), change=add)
        shutil.copy(self.program, bundle / "rootfs" / "bin" / "peer")
        return bundle

    def run(self, policy: str, *words: object, **settings: Any) -> tuple[int, str]:
        """The exit status and output of the program in a container."""
        self.engine.options = ["--host-uds", policy]
        done = self.engine("run", "--bundle", self.bundle(*words, **settings), "a")
        assert done.returncode != 125, done.stderr
        return done.returncode, done.stdout

    @contextmanager
    def live(self, policy: str, *words: object) -> Iterator["subprocess.Popen[str]"]:
        """The same while it runs, once it listens."""
        bundle = self.bundle(*words)
        command = [EXECUTABLE, "--root", self.engine.root, "--host-uds", policy, "run"]
        with subprocess.Popen(
            [*command, "--bundle", bundle, "a"], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None and process.stdout.readline() == "listening\n"
            yield process
            assert process.wait(LIMIT) == 0

    def native(self, *words: object) -> str:
        """The same program on the host."""
        done = subprocess.run(
            [self.program, *map(str, words)], stdout=subprocess.PIPE, text=True, timeout=LIMIT
        )
        return done.stdout


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    """A volume with a short name, since addresses are short."""
    source = tmp_path / "peer.c"
    source.write_text(PEER)
    volume = tmp_path / "v"
    volume.mkdir()
    return World(engine, volume, compile_c(source, ["-static"]))


@contextmanager
def server(path: Path, kind: int) -> Iterator[list[str]]:
    """A server of the host; what it said at the end."""
    said: list[str] = []
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(str(path))
    listener.settimeout(LIMIT)
    if kind != socket.SOCK_DGRAM:
        listener.listen(4)

    def serve() -> None:
        try:
            if kind == socket.SOCK_DGRAM:
                said.append(listener.recv(100).decode())
                return
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(LIMIT)
            while data := connection.recv(1 << 16):
                connection.sendall(data.upper())
            said.append("end")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield said
    finally:
        listener.shutdown(socket.SHUT_RDWR) if kind != socket.SOCK_DGRAM else None
        thread.join(LIMIT)
        listener.close()


@pytest.mark.parametrize(("kind", "policy"), [("stream", "all"), ("packet", "open")])
def test_connecting_to_the_host(world: World, kind: str, policy: str) -> None:
    """Bytes and ends both ways; a read-only volume is no obstacle, as on Linux."""
    number = KINDS[kind]
    with server(world.volume / "s", int(number)) as said:
        status, output = world.run(policy, "client", int(number), "/v/s", options=("bind", "ro"))
        assert (status, output) == (0, "QUESTION\n204800 and then 0\n")
    assert said == ["end"]


def test_datagrams_to_the_host(world: World) -> None:
    """As syslog(3) sends them."""
    with server(world.volume / "s", int(KINDS["datagram"])) as said:
        assert world.run("open", "client", int(KINDS["datagram"]), "/v/s") == (0, "")
    assert said == ["question"]


@pytest.mark.parametrize(
    ("kind", "policy"), [("stream", "none"), ("datagram", "none"), ("packet", "create")]
)
def test_not_without_being_allowed(world: World, kind: str, policy: str) -> None:
    """The host's socket is a file that nobody listens at; also for root inside."""
    with socket.socket(socket.AF_UNIX, KINDS[kind]) as listener:
        listener.bind(str(world.volume / "s"))
        if kind != "datagram":
            listener.listen(4)
        listener.setblocking(False)
        status, output = world.run(policy, "client", int(KINDS[kind]), "/v/s")
        assert (status, output) == (1, "connect: Connection refused\n")
        with pytest.raises(BlockingIOError):
            listener.recv(1) if kind == "datagram" else listener.accept()


@pytest.mark.parametrize(("kind", "policy"), [("stream", "create"), ("packet", "all")])
def test_serving_the_host(world: World, kind: str, policy: str) -> None:
    """A client of the host: who it is, no guest is told."""
    number = int(KINDS[kind])
    with world.live(policy, "server", number, "/v/s") as process:
        assert world.native("client", number, world.volume / "s") == "QUESTION\n204800 and then 0\n"
        assert process.stdout is not None
        assert process.stdout.read() == "from pid 0 uid 65534\nend\n"
    assert (world.volume / "s").is_socket()  # as Linux leaves it


def test_datagrams_from_the_host(world: World) -> None:
    """They come to the socket that is bound there."""
    number = int(KINDS["datagram"])
    with world.live("create", "server", number, "/v/s") as process:
        assert world.native("client", number, world.volume / "s") == ""
        assert process.stdout is not None and process.stdout.read() == "got question\n"


def test_no_server_without_being_allowed(world: World) -> None:
    """The name is there and nobody behind it."""
    number = int(KINDS["stream"])
    bundle = world.bundle("server", number, "/v/s")
    engine = world.engine
    engine.options = ["--host-uds", "open"]
    assert engine("run", "--detach", "--bundle", bundle, "a").returncode == 0
    eventually("the server binds", (world.volume / "s").is_socket)
    assert world.native("client", number, world.volume / "s") == "connect: Connection refused\n"


def test_both_ends_inside(world: World) -> None:
    """Two programs of one sandbox meet without the host, whatever is allowed."""
    number = int(KINDS["stream"])
    server, client = (f"/bin/peer {role} {number} /v/s" for role in ("server", "client"))
    script = f"{server} | {{ read x; {client}; busybox cat; }}"
    for policy in ("none", "all"):
        bundle = world.bundle(change=lambda d: d["process"].update(args=["/bin/sh", "-c", script]))
        world.engine.options = ["--host-uds", policy]
        done = world.engine("run", "--bundle", bundle, "a")
        assert done.returncode == 0, done.stderr
        assert "QUESTION\n204800 and then 0\nfrom pid " in done.stdout and "uid 0\n" in done.stdout


def test_no_files_are_passed(world: World) -> None:
    """A descriptor that a server of the host sends stays outside."""
    number = int(KINDS["stream"])
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(world.volume / "s"))
        listener.listen(1)
        listener.settimeout(LIMIT)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, open("/etc/passwd") as secret:
                rights = struct.pack("i", secret.fileno())
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)]
                connection.recv(100)
                connection.sendmsg([b"here"], ancillary)

        thread = threading.Thread(target=serve)
        thread.start()
        status, output = world.run("open", "client", number, "/v/s")
        thread.join(LIMIT)
    assert output.startswith("here\n")


def test_bundle_may_ask_for_it(world: World) -> None:
    """By annotation, as in gVisor: the mounts are the engine's to grant."""
    number = int(KINDS["stream"])

    def annotate(document: Any) -> None:
        document["annotations"] = {"dev.gvisor.flag.host-uds": "open"}

    with server(world.volume / "s", number):
        status, output = world.run("none", "client", number, "/v/s", change=annotate)
    assert (status, output) == (0, "QUESTION\n204800 and then 0\n")


def test_links_lead_nowhere(world: World, tmp_path: Path) -> None:
    """A symbolic link in the volume to a socket outside of it is resolved inside."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "secret"))
        listener.listen(1)
        os.symlink(tmp_path / "secret", world.volume / "link")
        os.symlink("../secret", world.volume / "up")
        for name in ("link", "up"):
            status, output = world.run("all", "client", int(KINDS["stream"]), f"/v/{name}")
            assert (status, output) == (1, "connect: No such file or directory\n")
