"""podman with runsc-py as its runtime: what a user of containers does all day."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines import IMAGE, LIMITS, Podman, until

pytestmark = pytest.mark.slow

OPTIONS = ("--network", "none")


@pytest.fixture
def options(native_only: bool) -> tuple[str, ...]:
    """runc may not raise limits here; those of runsc-py are the kernel model's own."""
    return (*OPTIONS, *LIMITS) if native_only else OPTIONS


@pytest.fixture
def box(podman: Podman, options: tuple[str, ...]) -> Iterator[str]:
    """A container that ends with status 3 when it is told to terminate."""
    script = "trap 'echo bye; exit 3' TERM; echo hello; while :; do usleep 20000; done"
    podman("run", "--detach", "--name", "box", *options, IMAGE, "sh", "-c", script)
    until(lambda: "hello" in podman("logs", "box"))
    yield "box"
    podman("rm", "--force", "--time", "0", "box")


def state(podman: Podman, name: str) -> str:
    """Status and exit status, as inspect has them."""
    return podman("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name).strip()


def test_run(podman: Podman, options: tuple[str, ...]) -> None:
    """Output, input and exit status of a container that is removed afterwards."""
    called = podman.call(
        "run", "--rm", "--interactive", *options, IMAGE, "sh", "-c", "cat; echo error >&2; exit 9",
        stdin=b"through\n",
    )  # fmt: skip
    assert (called.status, called.stdout, called.stderr) == (9, "through\n", "error\n")
    assert podman("ps", "--all", "--quiet") == ""


@pytest.mark.parametrize(
    ("program", "status"), [("/missing", 127), ("missing", 127), ("/etc", 126)]
)
def test_run_fails(podman: Podman, options: tuple[str, ...], program: str, status: int) -> None:
    """What cannot be executed has podman's statuses for it."""
    assert podman.call("run", "--rm", *options, IMAGE, program).status == status


def test_run_options(podman: Podman, options: tuple[str, ...], tmp_path: Path) -> None:
    """Environment, directory, host name, volumes, a read-only root, tmpfs."""
    script = "echo $A $(pwd) $(hostname); touch /x 2>&1; touch /run/y && ls /run; id -u"
    words = ("--env", "A=1", "--workdir", "/tmp", "--hostname", "named", "--read-only")
    shown = podman("run", "--rm", *options, *words, "--tmpfs", "/run", IMAGE, "sh", "-c", script)
    assert shown.splitlines()[:2] == ["1 /tmp named", "touch: /x: Read-only file system"]
    assert shown.splitlines()[-1] == "0" and "y" in shown


def test_exec(podman: Podman, box: str) -> None:
    """Commands in a running container."""
    assert podman("exec", box, "echo", "inside") == "inside\n"
    assert podman.call("exec", box, "sh", "-c", "exit 12").status == 12
    assert podman("exec", "--interactive", box, "cat", stdin=b"given") == "given"
    assert podman("exec", "--env", "B=2", "--workdir", "/etc", box, "sh", "-c", "echo $B; pwd") == (
        "2\n/etc\n"
    )
    assert podman.call("exec", box, "missing").status == 127


def test_stop(podman: Podman, box: str) -> None:
    """stop sends SIGTERM and reports the status; the container can be started again."""
    podman("stop", "--time", "30", box)
    assert state(podman, box) == "exited 3"
    assert podman("logs", box) == "hello\nbye\n"
    podman("start", box)
    assert state(podman, box) == "running 0"


def test_kill(podman: Podman, box: str) -> None:
    """kill ends it with the signal's status."""
    podman("kill", box)
    assert podman("wait", box) == "137\n"
    assert state(podman, box) == "exited 137"


def test_pause(podman: Podman, box: str) -> None:
    """A paused container does not take commands; it goes on when it may."""
    called = podman.call("pause", box)
    if "cgroup V1" in called.stderr:
        pytest.skip("podman refuses this to an ordinary user with control groups of version 1")
    assert state(podman, box) == "paused 0"
    assert podman.call("exec", box, "true").status != 0
    podman("unpause", box)
    assert state(podman, box) == "running 0"
    assert podman("exec", box, "echo", "again") == "again\n"


def test_ps_and_inspect(podman: Podman, box: str) -> None:
    """The container is listed as running, with a process that exists."""
    (listed,) = json.loads(podman("ps", "--format", "json"))
    assert listed["Names"] == ["box"] and listed["State"] == "running"
    assert Path(f"/proc/{listed['Pid']}").exists()
    (inspected,) = json.loads(podman("inspect", box))
    assert inspected["State"]["Running"] and inspected["State"]["Pid"] == listed["Pid"]


def test_top(podman: Podman, box: str) -> None:
    """The container's processes, as its own ps(1) has them."""
    shown = podman("top", box, "-o", "pid,args")
    assert any(line.split()[:2] == ["1", "sh"] for line in shown.splitlines()), shown


def copy_both_ways(podman: Podman, name: str, directory: Path) -> None:
    """`podman cp` into a running container and from it, and nowhere else."""
    (directory / "file").write_text("given")
    podman(
        "exec", name, "sh", "-c", "ls /root /tmp; for i in 1 2 3 4 5 6 7; do cat /root/$i; done; :"
    )
    for place in ("/root", "/tmp"):
        podman("cp", str(directory / "file"), f"{name}:{place}/copied-for-test")
        assert podman("exec", name, "cat", f"{place}/copied-for-test") == "given"
        assert not Path(place, "copied-for-test").exists()
    podman("exec", name, "sh", "-c", "echo changed > /root/copied-for-test; ls /root")
    podman("cp", f"{name}:/root/copied-for-test", str(directory / "back"))
    assert (directory / "back").read_text() == "changed\n"
    assert podman.call("cp", str(directory / "file"), f"{name}:/proc/x").status != 0


def test_copy(podman: Podman, box: str, tmp_path: Path) -> None:
    """Files go into a running container and come back, volumes too."""
    copy_both_ways(podman, box, tmp_path)
    assert podman("exec", box, "ls", "/etc/hostname") == "/etc/hostname\n"
    podman("cp", f"{box}:/etc/hostname", str(tmp_path / "name"))
    assert (tmp_path / "name").read_text().strip() == podman("exec", box, "hostname").strip()


def test_pod(podman: Podman, native_only: bool, tmp_path: Path) -> None:
    """Containers of a pod see each other's processes when they share the namespace."""
    if native_only:
        pytest.skip("runc would have to raise limits for the first container of a pod")
    infra = ("--infra-image", IMAGE, "--infra-command", "sleep 2000")
    podman("pod", "create", "--name", "pod", *infra, *OPTIONS, "--share", "pid,ipc,uts,net")
    try:
        podman("run", "--detach", "--pod", "pod", "--name", "one", IMAGE, "sleep", "1000")
        shown = podman("run", "--rm", "--pod", "pod", IMAGE, "ps", "-o", "args")
        copy_both_ways(podman, "one", tmp_path)
        assert "sleep 1000" in shown and "sleep 2000" in shown
        podman("kill", "one")
        assert podman("wait", "one") == "137\n"
        assert podman("run", "--rm", "--pod", "pod", IMAGE, "echo", "on") == "on\n"
    finally:
        podman("pod", "rm", "--force", "--time", "0", "pod")
