"""The walls around sentry and gofer: without the wall an attack works, with it the attack fails.

What a process that was taken over would do is done here by the process itself, after it has
confined itself as a sentry or a gofer does.
"""

import faulthandler
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from harness.gofer import serving
from harness.sandbox import command
from runsc_py.gofer import changing, host, nodes, protocol, reading, server
from runsc_py.gofer.client import GoferClient, GoferError
from runsc_py.gofer.process import MountSpec, start_gofer
from runsc_py.runsc.confinement import host_calls, walls
from runsc_py.runsc.confinement._walls import lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.gofer.process import Confine

pytestmark = pytest.mark.skipif(
    lib.walls_landlock_version() < 6, reason="Landlock of Linux 6.12 is needed"
)
EPERM, EACCES = 1, 13
PRCTL, PR_SET_DUMPABLE = 157, 4
KILLED = 128 + signal.SIGSYS


def in_child(wall: Callable[[], object] | None, attack: Callable[[], object]) -> int:
    """The errno of an attack in a process of its own behind a wall; 0 when it works."""
    pid = os.fork()
    if pid == 0:
        status = 255
        try:
            if wall is not None:
                wall()
            attack()
            status = 0
        except OSError as error:
            status = error.errno or 254
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def restrict() -> None:
    assert walls.restrict_sentry(network=False)


def restrict_with_network() -> None:
    assert walls.restrict_sentry(network=True)


def restrict_in_namespace() -> None:
    assert walls.restrict_sentry_in_namespace(network=False)


@pytest.fixture
def victim() -> Iterator[int]:
    """A process of the same user, with no more rights than a sentry has."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            # Tests that have changed their user leave a process that nobody may look into.
            host_calls.call(PRCTL, PR_SET_DUMPABLE, 1)
            walls.drop_sentry_capabilities(network=False)
            os.write(writer, b"0")
            signal.pause()
        finally:
            os._exit(0)
    try:
        os.read(reader, 1)
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reader)
        os.close(writer)


def test_files_are_not_read(tmp_path: Path) -> None:
    """Of everything but the library and /proc."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for path in (secret, Path("/etc/passwd")):
        assert in_child(None, lambda path=path: path.read_text()) == 0  # type: ignore[misc]
        assert in_child(restrict, lambda path=path: path.read_text()) == EACCES  # type: ignore[misc]
    assert in_child(restrict, lambda: Path(os.__file__).read_text()) == 0
    assert in_child(restrict, lambda: Path("/proc/self/stat").read_text()) == 0


def test_files_are_not_written(tmp_path: Path) -> None:
    """Nowhere: not even where we read."""
    library = Path(walls.__file__).with_name("planted.py")
    for path in (tmp_path / "new", library):
        attack = path.touch
        try:
            assert in_child(None, attack) == 0
            path.unlink()
            assert in_child(restrict, attack) == EACCES
        finally:
            path.unlink(missing_ok=True)


def test_processes_are_not_signalled(victim: int) -> None:
    attack = lambda: os.kill(victim, signal.SIGCONT)  # noqa: E731
    assert in_child(None, attack) == 0
    assert in_child(restrict, attack) == EPERM
    assert in_child(restrict_in_namespace, attack) == EPERM


@pytest.mark.parametrize("wall", [restrict, restrict_in_namespace])
def test_processes_are_not_looked_into(victim: int, wall: Callable[[], None]) -> None:
    """What one may trace, one may read the memory and environment of."""
    attack = Path(f"/proc/{victim}/environ").read_bytes

    def rights() -> None:
        walls.drop_sentry_capabilities(network=False)

    def both() -> None:
        wall()
        rights()  # CAP_PERFMON would do as well

    assert in_child(rights, attack) == 0
    assert in_child(both, attack) == EACCES


def test_ports_are_not_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        attack = lambda: socket.create_connection(server.getsockname()).close()  # noqa: E731
        assert in_child(None, attack) == 0
        assert in_child(restrict, attack) == EACCES
        assert in_child(restrict_in_namespace, attack) == EACCES
        assert in_child(restrict_with_network, attack) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has what is dropped")
def test_rights_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    attack = lambda: os.chown(tmp_path / "file", 1, 1)  # noqa: E731
    assert in_child(None, attack) == 0
    assert in_child(lambda: walls.drop_sentry_capabilities(network=False), attack) == EPERM


# -- the gofer -----------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What is served; a secret lies beside it."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(b"inside")
    (tmp_path / "secret").write_bytes(b"outside")
    return tree


def take_down_the_gofers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gofer that lets every name pass and stays beneath nothing: it was taken over."""
    for module in (nodes, reading, changing):
        monkeypatch.setattr(module, "check_name", lambda name: name)
    select_openat2 = host.select_openat2
    monkeypatch.setattr(host, "select_openat2", lambda wanted: select_openat2(False))


def climb(confine: bool, spec: MountSpec) -> bytes:
    """Read the secret beside the root of the mount.  Raises OSError."""
    with serving(spec, confine=walls.confine_gofer if confine else None) as served:
        reply = served.ask(protocol.WALK, served.root, [b"../secret"])
        node = reply[2][0][0]  # type: ignore[index]
        descriptor = served.client.open(node, os.O_RDONLY)
        try:
            return os.read(descriptor, 100)
        finally:
            os.close(descriptor)


def test_a_gofer_stays_beneath_its_mounts(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when the checks of its own are gone: Landlock."""
    take_down_the_gofers_own(monkeypatch)
    assert climb(False, MountSpec(str(tree))) == b"outside"
    with pytest.raises(OSError, match="denied"):
        climb(True, MountSpec(str(tree)))


def test_a_gofer_writes_nothing_below_a_read_only_mount(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (nodes, reading):
        monkeypatch.setattr(module, "check_writable", lambda node: None)
    spec = MountSpec(str(tree), read_only=True)
    with serving(spec) as served:
        served.client.mkdir(served.root, b"made", 0o700)
    with serving(spec, confine=walls.confine_gofer) as served:
        with pytest.raises(OSError, match="denied"):
            served.client.mkdir(served.root, b"another", 0o700)
        with pytest.raises(OSError, match="denied"):
            served.client.open(served.node("file"), os.O_WRONLY)
    assert sorted(os.listdir(tree)) == ["file", "made"]


def status_after_attack(tree: Path, confine: "Confine | None") -> int | None:
    """How a gofer ends that forks when it is asked for its file system."""
    connection = start_gofer([MountSpec(str(tree))], confine)
    client = GoferClient(connection.socket)
    with suppress(GoferError):
        client.statfs(client.mount(0)[0])
    connection.close()
    return connection.wait()


def test_a_gofer_starts_nothing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor makes any other call that serves no file: it ends, and its client learns that."""

    def fork(gofer: nodes.Gofer, number: int) -> tuple[object, ...]:
        if os.fork() == 0:
            os._exit(0)
        return host.statfs(gofer.node(number).fd)

    types = protocol.MESSAGES[protocol.STATFS][1]
    monkeypatch.setitem(server._HANDLERS, protocol.STATFS, (fork, types))
    monkeypatch.setattr(host, "become_service", lambda parent: faulthandler.disable())
    assert status_after_attack(tree, None) == 0
    assert status_after_attack(tree, walls.confine_gofer) == KILLED


# -- a sandbox that runs ---------------------------------------------------------------------------


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def test_walls_stand_when_a_program_runs(tmp_path: Path) -> None:
    """Both processes have a filter, no new privileges, and no capability that they do not need."""
    with subprocess.Popen(
        command(["sh", "-c", "echo started; read line"]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as sandbox:  # fmt: skip
        assert sandbox.stdout is not None and sandbox.stdin is not None
        assert sandbox.stdout.readline() == b"started\n"
        children = Path(f"/proc/{sandbox.pid}/task/{sandbox.pid}/children").read_text().split()
        gofers = [int(pid) for pid in children if status_of(int(pid))["Name"] != "runsc-guest"]
        assert len(gofers) == 1
        for pid, kept in ((sandbox.pid, 1 << 14 | 1 << 23 | 1 << 24), (gofers[0], 0x8900021F)):
            status = status_of(pid)
            assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert limits.split("Max core file size")[1].split()[:2] == ["0", "0"]
            assert int(status["CapEff"], 16) & ~kept == 0
            assert int(status["CapPrm"], 16) & ~kept == 0
        sandbox.stdin.close()
    assert sandbox.returncode == 1


TAKEN_OVER = """
import os, sys
from runsc_py.runsc.confinement import host_calls, walls
from runsc_py.sentry.syscalls.all import TABLE

def attack(task):
    {attack}
    open({proof!r}, "x")
    return 0

TABLE.find(102).handler = attack
if not {walls}:
    walls.restrict_sentry = walls.seal_sentry = walls.drop_sentry_capabilities = lambda **_: True
from runsc_py.runsc.cli import main
sys.argv[1:] = ["run", "--", sys.executable, "-IScimport os; os.getuid()"]
sys.exit(main())
"""
ATTACKS = {
    "fork": "os.fork() or os._exit(0)",
    "exec": "os.fork() or os.execv('/bin/true', ['true'])",
    "socket": "import socket; socket.socket()",
    "write": "pass",
    "kill": "os.kill(os.getppid(), 0)",
}


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("up", [False, True], ids=["down", "up"])
def test_a_sentry_that_was_taken_over(name: str, up: bool, tmp_path: Path) -> None:
    """Its handler of getuid(2) does as an attacker likes, and leaves a file as a proof."""
    proof = tmp_path / "proof"
    script = TAKEN_OVER.format(attack=ATTACKS[name], proof=str(proof), walls=up)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert proof.exists() != up
    if up and name in ("fork", "exec", "socket"):
        assert done.returncode == KILLED
        assert "the host's system call" in done.stderr and "SECURITY.md" in done.stderr
    elif not up:
        assert done.returncode == 0
