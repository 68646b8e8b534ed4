"""Docker with runsc-py as its runtime, which `runsc-py install` makes known to it."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.differential import Find
from harness.engines import IMAGE, Docker, until
from harness.processes import descendants, settle
from harness.programs import require
from harness.sandbox import EXECUTABLE
from harness.screen import PROMPT, Screen

pytestmark = pytest.mark.slow

RUN = ("run", "--network", "none")
DOCKERFILE = f"""\
FROM {IMAGE}
RUN echo made > /made
ENV NAME=value
WORKDIR /work
COPY file .
USER alice
CMD ["sh", "-c", "cat /made file; id -un; echo $NAME; pwd"]
"""


@pytest.fixture(scope="module")
def docker(runtime: str, archive: Path) -> Iterator[Docker]:
    """A daemon with one image; its runtime is ours unless told otherwise."""
    require(("dockerd", "docker.io"), ("docker", "docker.io"), ("containerd", "containerd"))
    if os.geteuid() != 0:
        pytest.skip("dockerd needs root")

    def configure(path: Path) -> None:
        if runtime == str(EXECUTABLE):
            path.write_text('{"default-runtime": "runsc-py"}')
            words = [runtime, "install", "--engine", "docker", "--config-file", path]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    known = set(descendants())
    # Not below tmp_path: the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="docker-") as name:
        daemon = Docker(Path(name), configure)
        try:
            daemon("import", archive, IMAGE)
            yield daemon
        finally:
            daemon.close()
            left = settle(known, 10.0, kill=False)
            settle(known, 5.0, kill=True)
    assert not left, "Docker's tests left processes behind"


@pytest.fixture
def box(docker: Docker) -> Iterator[str]:
    """A container that ends with status 3 when it is told to terminate."""
    script = "trap 'echo bye; exit 3' TERM; echo hello; while :; do usleep 20000; done"
    docker(*RUN, "--detach", "--name", "box", "--memory", "96m", IMAGE, "sh", "-c", script)
    until(lambda: "hello" in docker("logs", "box"))
    yield "box"
    docker("rm", "--force", "box")


def state(docker: Docker, name: str) -> str:
    """Status and exit status, as inspect has them."""
    return docker("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name).strip()


def test_run(docker: Docker) -> None:
    """Output, input and exit status of a container that is removed afterwards."""
    script = "cat; echo error >&2; exit 9"
    called = docker.call(*RUN, "--rm", "-i", IMAGE, "sh", "-c", script, stdin=b"through\n")
    assert (called.status, called.stdout, called.stderr) == (9, "through\n", "error\n")
    assert docker("ps", "--all", "--quiet") == ""


@pytest.mark.parametrize(("program", "status"), [("missing", 127), ("/etc", 126)])
def test_run_fails(docker: Docker, program: str, status: int) -> None:
    """What cannot be executed has Docker's statuses, and the reason, for it."""
    called = docker.call(*RUN, "--rm", IMAGE, program)
    assert called.status == status, repr(called)
    reason = "executable file not found" if status == 127 else "permission denied"
    assert reason in called.stderr and "warning" not in called.stderr


def test_run_options(docker: Docker, tmp_path: Path) -> None:
    """Environment, directory, names, volumes, a read-only root, tmpfs, limits, capabilities."""
    (tmp_path / "file").write_text("given\n")
    options = ["--rm", "--env", "A=1", "--workdir", "/tmp", "--hostname", "named", "--read-only"]
    options += ["--tmpfs", "/run", "--volume", f"{tmp_path}:/mnt", "--ulimit", "nofile=100:200"]
    options += ["--memory", "64m", "--pids-limit", "30", "--cap-drop", "ALL", "--user", "0:50"]
    options += ["--cap-add", "CHOWN", "--security-opt", "no-new-privileges", "--init"]
    script = """
        echo $A $(pwd) $(hostname) $(id -g) $(ulimit -n)
        cat /mnt/file; echo back > /mnt/back; touch /run/y && ls /run; touch /x
        grep -E 'CapEff|NoNewPrivs' /proc/self/status; ps -o args | sed -n 2p
    """
    called = docker.call(*RUN, *options, IMAGE, "sh", "-c", script)
    first, *rest = called.stdout.splitlines()
    assert first == "1 /tmp named 50 100", repr(called)
    assert rest[:2] == ["given", "y"] and rest[4].startswith("/sbin/docker-init -- sh -c")
    assert [line.split() for line in rest[2:4]] == [
        ["CapEff:", "0000000000000001"],
        ["NoNewPrivs:", "1"],
    ]
    assert called.stderr == "touch: /x: Read-only file system\n"
    assert (tmp_path / "back").read_text() == "back\n"


def test_exec(docker: Docker, box: str) -> None:
    """Commands in a running container, also as another user and in the background."""
    assert docker("exec", box, "echo", "inside") == "inside\n"
    assert docker.call("exec", box, "sh", "-c", "exit 12").status == 12
    assert docker("exec", "--interactive", box, "cat", stdin=b"given") == "given"
    words = ("--env", "B=2", "--workdir", "/etc", "--user", "alice")
    assert docker("exec", *words, box, "sh", "-c", "echo $B; pwd; id -un") == "2\n/etc\nalice\n"
    assert docker.call("exec", box, "missing").status == 126
    docker("exec", "--detach", box, "touch", "/tmp/made")
    until(lambda: docker.call("exec", box, "test", "-e", "/tmp/made").status == 0)


def test_stop_and_start(docker: Docker, box: str) -> None:
    """stop sends SIGTERM and reports the status; the container can be started again."""
    docker("stop", "--time", "30", box)
    assert state(docker, box) == "exited 3"
    assert docker("logs", box) == "hello\nbye\n"
    docker("start", box)
    assert state(docker, box) == "running 0"
    docker("kill", box)
    assert docker("wait", box) == "137\n"


def test_pause(docker: Docker, box: str) -> None:
    """A paused container does not take commands; it goes on when it may."""
    docker("pause", box)
    assert state(docker, box) == "paused 0"
    assert docker.call("exec", box, "true").status != 0
    docker("unpause", box)
    assert docker("exec", box, "echo", "again") == "again\n"


def test_observers(docker: Docker, box: str) -> None:
    """ps, inspect, stats and update know the container and its limits."""
    listed = json.loads(docker("ps", "--format", "{{json .}}"))
    assert listed["Names"] == box and listed["State"] == "running"
    pid = docker("inspect", "--format", "{{.State.Pid}}", box).strip()
    assert Path(f"/proc/{pid}").exists()
    docker("update", "--cpu-shares", "512", box)
    shown = json.loads(docker("stats", "--no-stream", "--format", "{{json .}}", box))
    assert shown["Name"] == box and int(shown["PIDs"]) >= 1


def test_copy(docker: Docker, box: str, tmp_path: Path) -> None:
    """Files that nobody inside has asked for yet go in, and come out; commit keeps them."""
    (tmp_path / "file").write_text("given")
    docker("cp", tmp_path / "file", f"{box}:/root/copied")
    assert docker("exec", box, "cat", "/root/copied") == "given"
    docker("exec", box, "sh", "-c", "echo changed > /root/made")
    docker("cp", f"{box}:/root/made", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "changed\n"
    assert "A /root/made" in docker("diff", box).splitlines()
    docker("commit", box, "committed")
    assert docker(*RUN, "--rm", "committed", "cat", "/root/made") == "changed\n"


def test_restart_policy(docker: Docker) -> None:
    """A container that fails is started as often as was asked for; health checks are done."""
    script = "echo run >> /runs; test $(wc -l < /runs) = 3 || exit 4; sleep 1000"
    words = ("--detach", "--restart", "on-failure:5", "--health-cmd", "test -e /runs")
    docker(*RUN, *words, "--health-interval", "1s", "--name", "again", IMAGE, "sh", "-c", script)
    try:
        wanted = "2 healthy\n"
        form = "{{.RestartCount}} {{.State.Health.Status}}"
        until(lambda: docker("inspect", "--format", form, "again") == wanted)
    finally:
        docker("rm", "--force", "again")


def test_build(docker: Docker, tmp_path: Path) -> None:
    """The daemon's own builder runs its steps in sandboxes."""
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "file").write_text("copied\n")
    docker.env["DOCKER_BUILDKIT"] = "0"
    docker("build", "--network", "none", "--tag", "built", tmp_path)
    assert docker(*RUN, "--rm", "built") == "made\ncopied\nalice\nvalue\n/work\n"


def test_terminal(docker: Docker, program: Find, tmp_path: Path) -> None:
    """`docker run --tty` in a terminal emulator: its size, Ctrl-C, the exit status."""
    options = ["--rm", "--interactive", "--tty", "--env", f"PS1={PROMPT}", "--name", "terminal"]
    shell = [*docker.prefix, *RUN, *options, IMAGE, "sh"]
    script = ['"$@"; echo "ended with $?"; exec cat', "sh", *shell]
    shown = Screen(program("tmux", "tmux"), tmp_path / "socket", ["sh", "-c", *script], docker.env)
    try:
        shown.until(lambda text: text.endswith(PROMPT.rstrip()))
        shown.enter("tty", "/dev/")
        shown.resize(100, 30)
        shown.enter("clear; until stty size | grep '30 100'; do usleep 50000; done", "30 100")
        assert docker("exec", "--tty", "terminal", "tty").startswith("/dev/pts/")
        shown.start("sleep 1000")
        shown.press("C-c")
        shown.until(lambda text: text.endswith(PROMPT.rstrip()))
        shown.enter("echo status $?", "status 130")
        shown.press("-l", "exit 4")
        shown.press("Enter")
        shown.until(lambda text: "ended with 4" in text)
    finally:
        docker.call("rm", "--force", "terminal")
        shown.close()
