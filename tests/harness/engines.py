"""Container engines as tests drive them: podman, containerd with ctr, Docker, buildah.

Each keeps everything below a directory of the test's own, has no network, and is ended by the
test that started it. The image is made from scratch out of busybox.

The flags are what these engines need without systemd, without writable storage of their own and
without a network: file systems are copied (vfs), control groups are made directly (cgroupfs), and
events go to a file.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.differential import environment
from harness.oci_bundle import make_rootfs
from harness.oci_runtime import Called

LIMIT = 60.0
IMAGE = "localhost/busybox:latest"

#: what runc needs where nobody may raise a limit; runsc-py's limits are the kernel model's own
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000")
STORAGE = ("--storage-driver", "vfs")


def make_archive(directory: Path) -> Path:
    """A tar archive of the root directory, from which engines make an image."""
    archive = directory / "rootfs.tar"
    make_rootfs(directory / "rootfs")
    subprocess.run(
        ["tar", "-C", directory / "rootfs", "--owner=0", "--group=0", "-cf", archive, "."],
        check=True,
    )
    shutil.rmtree(directory / "rootfs")
    return archive


def until(condition: Callable[[], bool]) -> None:
    """Wait for what an engine does in its own time."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it never comes"
        time.sleep(0.05)


class Engine:
    """A program with its options, run to its end."""

    def __init__(self, prefix: Sequence[str], env: dict[str, str] | None = None) -> None:
        self.prefix = list(prefix)
        self.env = environment(env)

    def call(self, *words: str | os.PathLike[str], stdin: bytes = b"") -> Called:
        """What it says, whatever its status."""
        done = subprocess.run(
            [*self.prefix, *map(str, words)],
            input=stdin,
            capture_output=True,
            cwd="/",
            env=self.env,
            timeout=LIMIT,
            start_new_session=True,
        )
        return Called(done)

    def __call__(self, *words: str | os.PathLike[str], stdin: bytes = b"") -> str:
        """Its standard output; it must succeed."""
        called = self.call(*words, stdin=stdin)
        assert called.status == 0, f"{' '.join(map(str, words))}: {called!r}"
        return called.stdout


class Podman(Engine):
    """podman with a storage of its own, by default for the user that runs the tests."""

    def __init__(self, directory: Path, runtime: str, user: int | None = None) -> None:
        self.directory = directory
        prefix = ["podman", "--root", str(directory / "root"), "--runroot", str(directory / "run")]
        prefix += ["--tmpdir", str(directory / "tmp"), *STORAGE, "--cgroup-manager", "cgroupfs"]
        prefix += ["--events-backend", "file", "--runtime", runtime]
        for name in ("home", "xdg"):
            (directory / name).mkdir(mode=0o700)
        if user is not None:
            # setpriv(1) leaves the environment alone.
            number = str(user)
            prefix = ["setpriv", "--reuid", number, "--regid", number, "--clear-groups", *prefix]
            for path in (directory, directory / "home", directory / "xdg"):
                os.chown(path, user, user)
        env = {"HOME": str(directory / "home"), "XDG_RUNTIME_DIR": str(directory / "xdg")}
        super().__init__(prefix, env)

    def close(self) -> None:
        """Remove all containers and pods, and the process that holds a user namespace."""
        self.call("pod", "rm", "--all", "--force", "--time", "0")
        self.call("rm", "--all", "--force", "--time", "0")
        self.call("rmi", "--all", "--force")
        holder = self.directory / "tmp" / "pause.pid"
        if holder.exists():
            os.kill(int(holder.read_text()), signal.SIGKILL)


CONTAINERD = """\
version = 2
root = "{directory}/root"
state = "{directory}/state"
oom_score = 0
disabled_plugins = [
    {disabled}
    "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.zfs",
    "io.containerd.snapshotter.v1.devmapper",
]
[grpc]
  address = "{directory}/containerd.sock"
[ttrpc]
  address = "{directory}/containerd.ttrpc"
"""
#: what a node has before we are installed: pods without a CNI plugin share the node's network
CRI = """\
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  stream_server_address = "127.0.0.1"
  disable_apparmor = true
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  conf_dir = "{directory}/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
"""


class Daemon:
    """A server in a session of its own, with its log in a file."""

    def __init__(self, command: Sequence[str | os.PathLike[str]], log: Path) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def await_answer(self, client: Engine) -> None:
        """Until its client can talk to it."""
        deadline = time.monotonic() + LIMIT
        while client.call("version").status != 0:
            assert self._process.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def log(self) -> str:
        """What it had to say."""
        return self._log.read_text(errors="backslashreplace")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(LIMIT)


class Containerd:
    """A containerd of the test's own, with ctr as its client.

    With `configure`, which is told the path of its configuration, it serves Kubernetes (CRI).
    """

    def __init__(self, directory: Path, configure: Callable[[Path], object] | None = None) -> None:
        configuration = directory / "config.toml"
        disabled = '"io.containerd.grpc.v1.cri",' if configure is None else ""
        configuration.write_text(CONTAINERD.format(directory=directory, disabled=disabled))
        self.socket = directory / "containerd.sock"
        self.ctr = Engine(["ctr", "--address", str(self.socket)])
        if configure is not None:
            self.ctr.prefix += ["--namespace", "k8s.io"]
            with configuration.open("a") as file:
                file.write(CRI.format(directory=directory, image=IMAGE))
            configure(configuration)
        self.daemon = Daemon(["containerd", "--config", configuration], directory / "log")
        self.daemon.await_answer(self.ctr)

    def close(self) -> None:
        """End the daemon. Shims outlive it: tests delete their containers first."""
        self.daemon.close()


class Docker(Engine):
    """A dockerd of the test's own, with docker as its client: no bridge, no rules of iptables.

    `configure` is told the path of the daemon's configuration before it starts.
    """

    def __init__(self, directory: Path, configure: Callable[[Path], object]) -> None:
        configuration = directory / "daemon.json"
        configuration.write_text("{}")
        configure(configuration)
        socket = f"unix://{directory}/docker.sock"
        super().__init__(["docker", "--host", socket], {"HOME": str(directory)})
        self._containerd = Containerd(directory)
        words: list[str | os.PathLike[str]] = ["dockerd", "--config-file", configuration]
        words += ["--host", socket, "--containerd", directory / "containerd.sock"]
        words += ["--data-root", directory / "data"]
        words += ["--exec-root", directory / "exec", "--pidfile", directory / "docker.pid"]
        words += ["--storage-driver", "vfs", "--bridge", "none", "--ip-masq=false"]
        words += ["--iptables=false", "--ip6tables=false"]
        try:
            self._daemon = Daemon(words, directory / "docker.log")
            self._daemon.await_answer(self)
        except BaseException:
            self._containerd.close()
            raise

    def close(self) -> None:
        """Remove all containers, and end both daemons."""
        for container in self("ps", "--all", "--quiet").split():
            self.call("rm", "--force", container)
        self._daemon.close()
        self._containerd.close()
