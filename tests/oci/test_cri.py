"""Pods as the kubelet has them run: containerd's CRI plugin, over its socket, with our handler."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest

from harness.cri import EXITED, NODE, NOT_READY, POD, READY, RUNNING, RuntimeService
from harness.engines import IMAGE, Containerd, Podman, until
from harness.processes import descendants, settle
from harness.programs import require
from harness.sandbox import EXECUTABLE

pytestmark = pytest.mark.slow

NAMESPACES = {"network": NODE, "pid": POD, "ipc": NODE}
CHANGES = ("--change", 'CMD ["/bin/sleep", "100000"]', "--change", "ENV PATH=/bin")
#: says that it is there, and ends with status 3 when it is told to
SERVICE = "trap 'echo bye; exit 3' TERM; echo hello; while :; do usleep 20000; done"


class Node:
    """containerd with its CRI service."""

    def __init__(self, directory: Path, handler: str) -> None:
        self.directory = directory
        self.handler = handler
        self.daemon = Containerd(directory, self._install)
        self.service = RuntimeService(self.daemon.socket)

    def _install(self, configuration: Path) -> None:
        if self.handler == "runsc-py":
            words = [EXECUTABLE, "install", "--engine", "containerd", "--config-file"]
            subprocess.run([*words, configuration], check=True, stdout=subprocess.DEVNULL)

    def close(self) -> None:
        """End it."""
        self.service.close()
        self.daemon.close()


@pytest.fixture(scope="module")
def node(runtime: str, archive: Path) -> Iterator[Node]:
    """With one image, which is also that of the pods' first containers."""
    require(("containerd", "containerd"), ("podman", "podman"))
    if os.geteuid() != 0:
        pytest.skip("containerd needs root")
    known = set(descendants())
    with tempfile.TemporaryDirectory(prefix="cri-") as name:
        directory = Path(name)
        (directory / "podman").mkdir()
        podman = Podman(directory / "podman", "runc")
        podman("import", *CHANGES, "-", IMAGE, stdin=archive.read_bytes())
        image = directory / "image.tar"
        podman("save", "--format", "oci-archive", "--output", image, IMAGE)
        node = Node(directory, "runsc-py" if runtime == str(EXECUTABLE) else "runc")
        try:
            node.daemon.ctr("images", "import", "--snapshotter", "native", image)
            yield node
        finally:
            node.close()
            podman.close()
            left = settle(known, 10.0, kill=False)
            settle(known, 5.0, kill=True)
    assert not left, "containerd left processes behind"


class Pod:
    """A pod whose containers share one PID namespace."""

    numbers = count()

    def __init__(self, node: Node) -> None:
        self.node = node
        name = f"pod{next(self.numbers)}"
        self.logs = node.directory / name
        self.logs.mkdir()
        self.config = {
            "metadata": {"name": name, "uid": name, "namespace": "default"},
            "log_directory": str(self.logs),
            "linux": {"security_context": {"namespace_options": NAMESPACES}},
        }
        answer = node.service("RunPodSandbox", config=self.config, runtime_handler=node.handler)
        self.id: str = answer["pod_sandbox_id"]

    def start(self, name: str, script: str, attempt: int = 0, **config: Any) -> str:
        """A container that runs a script; its id."""
        security = {"namespace_options": NAMESPACES}
        config = {
            "metadata": {"name": name, "attempt": attempt},
            "image": {"image": IMAGE},
            "command": ["/bin/sh", "-c", script],
            "log_path": f"{name}.{attempt}",
            "linux": {"security_context": security, **config.pop("linux", {})},
            **config,
        }
        container: str = self.node.service(
            "CreateContainer", pod_sandbox_id=self.id, config=config, sandbox_config=self.config
        )["container_id"]
        self.node.service("StartContainer", container_id=container)
        return container

    def logged(self, name: str, attempt: int = 0) -> list[str]:
        """The lines of a container, as `kubectl logs` prints them."""
        text = (self.logs / f"{name}.{attempt}").read_text()
        return [line.split(" ", 3)[3] for line in text.splitlines()]

    def status(self, container: str) -> tuple[int, int]:
        """State and exit status."""
        status = self.node.service("ContainerStatus", container_id=container)["status"]
        return status["state"], status["exit_code"]

    def state(self) -> int:
        """Whether the pod's sandbox runs."""
        status = self.node.service("PodSandboxStatus", pod_sandbox_id=self.id)["status"]
        assert status["runtime_handler"] == self.node.handler
        state: int = status["state"]
        return state

    def execute(self, container: str, *words: str, timeout: int = 30) -> tuple[int, str]:
        """Status and output, as a probe has them."""
        done = self.node.service("ExecSync", container_id=container, cmd=words, timeout=timeout)
        return done["exit_code"], (done["stdout"] + done["stderr"]).decode()

    def process(self) -> int:
        """The process of the host that is the pod's sandbox."""
        listed = self.node.daemon.ctr("tasks", "list").splitlines()
        (pid,) = (int(line.split()[1]) for line in listed if line.startswith(self.id))
        return pid

    def close(self) -> None:
        """Stop and remove it, containers included."""
        self.node.service("StopPodSandbox", pod_sandbox_id=self.id)
        self.node.service("RemovePodSandbox", pod_sandbox_id=self.id)


@pytest.fixture
def pod(node: Node) -> Iterator[Pod]:
    """One that runs."""
    made = Pod(node)
    yield made
    made.close()


def test_containers_of_a_pod(pod: Pod, tmp_path: Path) -> None:
    """Each has its own root; processes and a volume are shared; logs, variables, directories."""
    mount = {"container_path": "/shared", "host_path": str(tmp_path)}
    first = pod.start("first", f"touch /own; {SERVICE}", mounts=[mount])
    variables = [{"key": "A", "value": "1"}]
    second = pod.start(
        "second", "echo $A $(pwd); sleep 1000", envs=variables, working_dir="/etc",
        mounts=[{**mount, "readonly": 1}],
    )  # fmt: skip
    until(lambda: pod.logged("first") == ["hello"] and pod.logged("second") == ["1 /etc"])
    assert pod.execute(first, "sh", "-c", "ls /own; echo given > /shared/file") == (0, "/own\n")
    assert pod.execute(second, "sh", "-c", "cat /shared/file; ls /own")[1].startswith("given\n")
    assert pod.execute(second, "touch", "/shared/new")[0] == 1
    assert (tmp_path / "file").read_text() == "given\n"
    shown = pod.execute(second, "ps", "-o", "args")[1]
    assert "/bin/sleep 100000" in shown and "usleep" in shown and "sleep 1000" in shown
    assert pod.state() == READY


def test_exec(pod: Pod) -> None:
    """Status and output; what takes too long is ended and nothing of it is left."""
    container = pod.start("one", SERVICE)
    script = "echo out; echo err >&2; exit 5"
    assert pod.execute(container, "sh", "-c", script) == (5, "out\nerr\n")
    with pytest.raises(grpc.RpcError) as failed:
        pod.execute(container, "sleep", "4444", timeout=1)
    assert failed.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "4444" not in pod.execute(container, "ps", "-o", "args")[1]
    with pytest.raises(grpc.RpcError, match="executable file not found"):
        pod.execute(container, "missing")


def test_restart_of_a_container(pod: Pod) -> None:
    """One that fails is made once more, as another attempt, while its neighbour goes on."""
    other = pod.start("other", SERVICE)
    failed = pod.start("service", "echo first; exit 7")
    until(lambda: pod.status(failed) == (EXITED, 7))
    again = pod.start("service", SERVICE, attempt=1)
    assert pod.status(again)[0] == pod.status(other)[0] == RUNNING
    until(lambda: pod.logged("service", 1) == ["hello"])
    assert pod.logged("service") == ["first"]
    pod.node.service("RemoveContainer", container_id=failed)
    assert pod.execute(again, "true") == pod.execute(other, "true") == (0, "")


def test_stop(pod: Pod) -> None:
    """SIGTERM first, SIGKILL when that was not heard; the pod's other containers go on."""
    polite = pod.start("polite", SERVICE)
    deaf = pod.start("deaf", "trap '' TERM; echo hello; while :; do usleep 20000; done")
    until(lambda: pod.logged("polite") == pod.logged("deaf") == ["hello"])
    pod.node.service("StopContainer", container_id=polite, timeout=30)
    assert pod.status(polite) == (EXITED, 3) and pod.logged("polite") == ["hello", "bye"]
    pod.node.service("StopContainer", container_id=deaf, timeout=1)
    assert pod.status(deaf) == (EXITED, 137)
    assert pod.state() == READY


def test_statistics_and_resources(pod: Pod) -> None:
    """What `kubectl top` asks for is answered, limits can be changed."""
    resources = {"memory_limit_in_bytes": 64 << 20, "cpu_shares": 256}
    container = pod.start("one", SERVICE, linux={"resources": resources})
    stats = pod.node.service("ContainerStats", container_id=container)["stats"]
    assert stats["attributes"]["id"] == container and stats["cpu"]["timestamp"] > 0
    more = {"memory_limit_in_bytes": 128 << 20}
    pod.node.service("UpdateContainerResources", container_id=container, linux=more)
    assert pod.execute(container, "true") == (0, "")


def test_share_of_the_processor(pod: Pod) -> None:
    """The engine gives a pod's first container next to nothing; ours holds all of them."""
    lines = Path(f"/proc/{pod.process()}/cgroup").read_text().splitlines()
    fields = [line.split(":", 2) for line in lines]
    groups = [path for _, controllers, path in fields if controllers == "cpu"]
    files = [Path(f"/sys/fs/cgroup/cpu{group}/cpu.shares") for group in groups]
    found = [int(file.read_text()) for file in files if file.exists()]
    if not found:
        pytest.skip("there is no controller of version 1 for shares of the processor")
    assert found == [1024 if pod.node.handler == "runsc-py" else 2]


def test_death_of_the_sandbox(pod: Pod) -> None:
    """A pod whose first process is killed is not ready, and all its containers have ended."""
    containers = [pod.start(name, SERVICE) for name in ("one", "two")]
    os.kill(pod.process(), 9)
    until(lambda: pod.state() == NOT_READY)
    until(lambda: all(pod.status(one)[0] == EXITED for one in containers))
    assert [pod.status(one)[1] for one in containers] == [137, 137]
