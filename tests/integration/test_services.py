"""Control calls beside a container's life: files, ports, memory, logging, stacks, its last word."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.compiler import compile_c
from harness.containers import BUSYBOX, WAIT, Engine
from harness.sandbox import EXECUTABLE

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

#: serves port 8080 with an echo, and says when it can be reached
ECHO = "busybox nc -ll -p 8080 -e /bin/busybox cat & exec busybox sleep 600"
LIMIT = 30.0


def start(engine: Engine, script: str) -> int:
    """A running container `a` with a root that can be written to; its process."""
    pid_file = engine.folder / "pid"
    bundle = engine.bundle("/bin/sh", "-c", script, change=make_writable)
    done = engine("create", "--bundle", bundle, "--pid-file", pid_file, "a")
    assert done.returncode == 0, done.stderr
    assert engine("start", "a").returncode == 0
    return int(pid_file.read_text())


def make_writable(document: dict[str, dict[str, object]]) -> None:
    """Of a config.json."""
    document["root"]["readonly"] = False


def until(engine: Engine, *words: str) -> str:
    """What a command prints as soon as it succeeds."""
    deadline = time.monotonic() + LIMIT
    while (done := engine(*words)).returncode:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.05)
    return done.stdout


def test_read(engine: Engine) -> None:
    """Whole and in parts; what is no plain file is refused."""
    engine.options = ["--overlay2", "root:memory"]
    start(engine, "echo 0123456789 >/new; echo >/ready; exec busybox sleep 600")
    until(engine, "read", "a", "/ready")
    assert engine("read", "a", "/new").stdout == "0123456789\n"
    assert engine("read", "--offset", "3", "--size", "4", "a", "/new").stdout == "3456"
    assert engine("read", "--offset", "100", "a", "/new").stdout == ""
    # More than a pipe holds, so that the sandbox waits for its reader.
    whole = subprocess.run(
        [EXECUTABLE, "--root", engine.root, "read", "a", "/bin/busybox"],
        capture_output=True,
        timeout=60,
    )
    assert BUSYBOX is not None and whole.stdout == Path(BUSYBOX).read_bytes()
    for path, reason in (
        ("/nowhere", "No such file or directory"),
        ("/bin", "not a regular file"),
        ("/dev/zero", "not a regular file"),
        ("new", "not an absolute path"),
        ("/proc/self/status", "No such file or directory"),
    ):
        done = engine("read", "a", path)
        assert done.returncode == 125 and reason in done.stderr
    assert engine("read", "a", "/proc/1/comm").stdout == "busybox\n"
    assert "use a whole number" in engine("read", "--size", "-1", "a", "/new").stderr


def test_tar(engine: Engine) -> None:
    """What was added and deleted, as a layer; without an upper layer there is none."""
    engine.options = ["--overlay2", "root:memory"]
    start(engine, "echo new >/new; busybox rm /bin/sh; echo >/done; exec busybox sleep 600")
    until(engine, "read", "a", "/done")
    path = engine.folder / "upper.tar"
    assert engine("tar", "rootfs-upper", "--file", str(path), "a").returncode == 0
    with tarfile.open(path) as archive:
        names = archive.getnames()
        new = archive.extractfile("new")
        assert new is not None and new.read() == b"new\n"
    assert "bin/.wh.sh" in names and "bin/busybox" not in names
    words = [EXECUTABLE, "--root", engine.root, "tar", "rootfs-upper", "a"]
    printed = subprocess.run(words, capture_output=True, timeout=60).stdout
    with tarfile.open(fileobj=io.BytesIO(printed)) as archive:
        assert archive.getnames() == names
    assert "use tar rootfs-upper ID" in engine("tar", "a").stderr
    assert engine("tar", "rootfs-upper", "--file", "/nowhere/x", "a").returncode == 125
    assert engine("delete", "--force", "a").returncode == 0
    engine.options = []
    start(engine, "exec busybox sleep 600")
    refused = engine("tar", "rootfs-upper", "a")
    assert refused.returncode == 125
    assert "no upper layer" in refused.stderr and "--overlay2=root:memory" in refused.stderr


def test_usage(engine: Engine) -> None:
    """The sum, and what it is made of."""
    start(engine, "exec busybox sleep 600")
    usage = json.loads(engine("usage", "--full", "a").stdout)
    assert usage["Sentry"] > 1 << 20 and set(usage["Containers"]) == {"a"}
    assert usage["Total"] >= usage["Sentry"] + usage["Anonymous"]
    assert "Containers" not in json.loads(engine("usage", "a").stdout)


def test_debug(engine: Engine) -> None:
    """Stacks and processes; a log level that is none is refused."""
    start(engine, "exec busybox sleep 600")
    deadline = time.monotonic() + LIMIT
    while "(busybox): blocked in clock_nanosleep" not in (
        shown := engine("debug", "--ps", "--stacks", "a").stdout
    ):
        assert time.monotonic() < deadline, shown
    assert shown.split()[:2] == ["UID", "PID"] and "HostEvents.poll" in shown
    assert engine("debug", "--log-level", "warning", "a").returncode == 0
    assert "use debug or info" in engine("debug", "--log-level", "loud", "a").stderr
    assert "unknown system call 'wings'" in engine("debug", "--strace", "wings", "a").stderr
    assert engine("debug", "a").returncode == 125


def test_strace_into_the_log(engine: Engine) -> None:
    """From the beginning, and switched on and off while it runs; it needs a log."""
    log = engine.folder / "logs" / "sandbox-a.log"
    engine.options = ["--debug-log", f"{engine.folder}/logs/%COMMAND%-%ID%.log", "--strace"]
    engine.options += ["--strace-syscalls", "write", "--strace-log-size", "5"]
    start(engine, "echo 0123456789; while :; do busybox usleep 1000; done")
    until_contains(log, 'write(1, "01234"..., 11)')
    assert "clone" not in log.read_text()
    assert engine("debug", "--strace=off", "a").returncode == 0
    assert engine("debug", "--strace=clone,vfork", "a").returncode == 0
    until_contains(log, "clone(")
    engine.options = []
    start_refused = engine("--strace", "list")
    assert "say where with --debug-log" in start_refused.stderr
    engine("delete", "--force", "a")
    start(engine, "exec busybox sleep 600")
    refused = engine("debug", "--strace=all", "a")
    assert "no log for a trace" in refused.stderr and "--debug-log" in refused.stderr


def until_contains(path: Path, text: str) -> None:
    """Wait for a line of a log."""
    deadline = time.monotonic() + LIMIT
    while not path.exists() or text not in path.read_text():
        assert time.monotonic() < deadline, path.read_text() if path.exists() else "no log"
        time.sleep(0.05)


def test_following_system_calls(engine: Engine) -> None:
    """As they are made, until the reader goes away; then nobody watches any more."""
    start(engine, "while :; do busybox usleep 1000; done")
    words = [EXECUTABLE, "--root", str(engine.root), "debug", "--follow=clone,vfork", "a"]
    for _ in range(2):
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as follower:
            assert follower.stdout is not None
            lines = [follower.stdout.readline() for _ in range(5)]
            if _ == 0:
                second = engine("debug", "--follow", "a")
                assert "somebody else follows" in second.stderr
            follower.kill()
        assert any("clone(" in line for line in lines)
    # The end of the sandbox is the end of the trace, and no failure.
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline()
        assert engine("kill", "a", "KILL").returncode == 0
        assert follower.wait(LIMIT) == 0


def test_port_forward(engine: Engine) -> None:
    """Standard files, a port of the host, a unix socket; both directions end by themselves."""
    start(engine, ECHO)
    words = [EXECUTABLE, "--root", str(engine.root), "port-forward", "a", "8080"]
    deadline = time.monotonic() + LIMIT
    while True:
        done = subprocess.run(words, input=b"ping\n", capture_output=True, timeout=60)
        if done.returncode == 0:
            break
        assert b"Connection refused" in done.stderr and time.monotonic() < deadline
    assert done.stdout == b"ping\n"
    with subprocess.Popen([*words[:-1], "0:8080"], stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        host, _, port = listener.stdout.readline().strip().rpartition(":")
        with socket.create_connection((host, int(port)), LIMIT) as stream:
            assert echoed(stream, 3_000_000) == 3_000_000
        listener.send_signal(signal.SIGINT)
        assert listener.wait(LIMIT) == 130
    path = engine.folder / "stream"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert engine("port-forward", "--stream", str(path), "a", "8080").returncode == 0
        server.settimeout(LIMIT)
        stream, _ = server.accept()
        with stream:
            stream.settimeout(LIMIT)
            assert echoed(stream, 100) == 100


def echoed(stream: socket.socket, size: int) -> int:
    """Send so much, say that it was all, and count what comes back."""

    def send() -> None:
        stream.sendall(b"x" * size)
        stream.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    count = 0
    while data := stream.recv(1 << 16):
        count += len(data)
    sender.join(LIMIT)
    return count


def test_ports_that_cannot_be_reached(engine: Engine) -> None:
    """Refused with the errno of the connection, or for what was asked."""
    start(engine, "exec busybox sleep 600")
    for words, reason in (
        (("a", "9"), "port 9: Connection refused"),
        (("a", "0"), "'0' is no port"),
        (("a", "99999"), "'99999' is no port"),
        (("a",), "needs the id of a container and"),
        (("--stream", "/nowhere", "a", "9"), "No such file"),
    ):
        done = engine("port-forward", *words)
        assert done.returncode == 125 and reason in done.stderr


def test_wait_after_the_end(engine: Engine) -> None:
    """The status is kept until the container is deleted."""
    pid = engine.create("a", "/bin/sh", "-c", "exit 7")
    assert engine("start", "a").returncode == 0
    os.waitpid(pid, 0)
    for _ in range(2):
        assert json.loads(engine("wait", "a").stdout) == {"id": "a", "exitStatus": 7}
    assert engine("delete", "a").returncode == 0
    pid = engine.create("a", *WAIT)
    assert engine("start", "a").returncode == 0
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    # Nobody was left to write it down.
    assert json.loads(engine("wait", "a").stdout)["exitStatus"] == 137


def test_the_memory_limit_of_a_sandbox(engine: Engine) -> None:
    """Memory of programs counts, not only that of files; who listens hears of it."""

    def limit(document: dict[str, dict[str, object]]) -> None:
        document["linux"]["resources"] = {"memory": {"limit": 32 << 20}}

    script = "exec busybox awk 'BEGIN { s = \"x\"; while (1) s = s s }'"
    bundle = engine.bundle("/bin/sh", "-c", script, change=limit)
    pid_file = engine.folder / "pid"
    assert engine("create", "--bundle", bundle, "--pid-file", pid_file, "a").returncode == 0
    words = [EXECUTABLE, "--root", str(engine.root), "events", "--follow", "a"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert json.loads(listener.stdout.readline())["type"] == "subscribed"
        assert engine("start", "a").returncode == 0
        assert os.waitstatus_to_exitcode(os.waitpid(int(pid_file.read_text()), 0)[1]) == 137
        kinds = [json.loads(line)["type"] for line in listener.stdout]
        assert kinds == ["started", "oom"]
    assert json.loads(engine("wait", "a").stdout)["exitStatus"] == 137
    assert "memory limit of 32 MiB reached" in engine.log.read_text()


def test_a_bundle_is_run_wherever_its_option_stands(engine: Engine) -> None:
    """Behind others too; what belongs to a command is not taken for it."""
    bundle = engine.bundle("/bin/sh", "-c", "exit 7")
    pid_file = engine.folder / "pid"
    for words in (
        ("--bundle", bundle, "a"),
        ("--pid-file", pid_file, "--bundle", bundle, "a"),
        ("--pid-file=pid", f"-b={bundle}", "a"),
    ):
        assert engine("run", *words, prefix=["env", "-C", engine.folder]).returncode == 7
    plain = [EXECUTABLE, "run", "-e", "A=-b", "--", "sh", "-c", "echo $1 $A", "-b", "--bundle"]
    done = subprocess.run(plain, capture_output=True, text=True, timeout=60)
    assert done.stdout == "--bundle -b\n"


def install(bundle: Path, name: str, source: str) -> Path:
    """A static program in the container's /bin."""
    text = bundle / f"{name}.c"
    text.write_text(source)
    return Path(shutil.copy(compile_c(text, ["-static"]), bundle / "rootfs" / "bin" / name))


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a set-user-ID program of root's")
def test_set_user_id_programs(engine: Engine) -> None:
    """Honoured as by Linux, unless the engine's configuration says otherwise."""

    def as_nobody(document: dict[str, dict[str, object]]) -> None:
        document["process"]["user"] = {"uid": 65534, "gid": 65534}
        document["process"]["noNewPrivileges"] = False

    bundle = engine.bundle("/bin/euid", change=as_nobody)
    program = install(bundle, "euid", '#include <unistd.h>\n#include <stdio.h>\n'
                      'int main(void) { printf("%d\\n", geteuid()); return 0; }')  # fmt: skip
    program.chmod(0o4755)
    assert engine("run", "--bundle", bundle, "a").stdout == "0\n"
    engine.options = ["--allow-suid=false"]
    assert engine("run", "--bundle", bundle, "a").stdout == "65534\n"


def test_a_subcontainer_leaves_nothing_of_the_host_open(engine: Engine) -> None:
    """Its engine unmounts its root directory next, which must not be busy."""

    def join(kind: str) -> Callable[[Any], None]:
        def change(document: Any) -> None:
            document["annotations"] = {
                "io.kubernetes.cri.container-type": kind,
                "io.kubernetes.cri.sandbox-id": "pod",
            }

        return change

    pid_file = engine.folder / "pid"
    pod = engine.bundle(*WAIT, change=join("sandbox"))
    assert engine("create", "--bundle", pod, "--pid-file", pid_file, "pod").returncode == 0
    assert engine("start", "pod").returncode == 0
    files = Path(f"/proc/{int(pid_file.read_text())}/fd")
    member = engine.bundle(*WAIT, change=join("container"))

    def opened() -> list[str]:
        """Of the member's root, in the sandbox."""
        links = [os.readlink(link) for link in files.iterdir() if link.is_symlink()]
        return [link for link in links if link.startswith(str(member))]

    assert engine("create", "--bundle", member, "a").returncode == 0
    assert engine("start", "a").returncode == 0
    assert engine("exec", "a", "/bin/busybox", "true").returncode == 0
    assert engine("read", "a", "/proc/1/comm").stdout == "busybox\n"
    assert opened(), "the wall is not where the test looks"
    assert engine("kill", "a", "KILL").returncode == 0
    assert engine("delete", "--force", "a").returncode == 0
    assert opened() == []
    assert engine.status("pod") == "running"
