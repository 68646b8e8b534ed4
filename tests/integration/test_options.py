"""Options before the command, each by what it changes for a container or on the host."""

import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from harness.containers import BUSYBOX, WAIT, Engine
from harness.live import eventually
from runsc_py.runsc.control import wire
from runsc_py.runsc.control.calls import Stacks

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")


def output(engine: Engine, script: str, change: Any = None) -> str:
    """What a container prints that runs a script."""
    bundle = engine.bundle("/bin/sh", "-c", script, change=change)
    done = engine("run", "--bundle", bundle, "a")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_marker_file(engine: Engine) -> None:
    """Programs are told only when it is asked for; --override-procs adds empty files."""
    script = "busybox cat /proc/gvisor/kernel_is_gvisor; busybox wc -c </proc/kallsyms; :"
    assert output(engine, script) == ""
    engine.options = ["--gvisor-marker-file", "--override-procs", "kallsyms,misc"]
    assert output(engine, script) == "gvisor\n0\n"
    assert output(engine, "busybox ls /proc/gvisor") == "kernel_is_gvisor\n"
    engine.options = ["--override-procs", "a/b"]
    done = engine("list")
    assert done.returncode == 125 and "--override-procs 'a/b': use names" in done.stderr


def with_quota(quota: int, period: int | None) -> Any:
    """A change of config.json."""

    def change(document: Any) -> None:
        document["linux"]["resources"] = {"cpu": {"quota": quota, "period": period or 100_000}}

    return change


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="a quota leaves two processors at least")
def test_processors_of_a_quota(engine: Engine) -> None:
    """At least two, at most those that there are, and all when nothing depends on it."""
    count = len(os.sched_getaffinity(0))
    script = "busybox nproc; busybox grep -c ^processor /proc/cpuinfo"
    engine.options = ["--ignore-cgroups"]
    assert output(engine, script, with_quota(50_000, None)) == "2\n2\n"
    assert output(engine, script, with_quota(100_000_000, None)) == f"{count}\n{count}\n"
    assert output(engine, script, with_quota(-1, None)) == f"{count}\n{count}\n"
    engine.options += ["--cpu-num-from-quota=false"]
    assert output(engine, script, with_quota(50_000, None)) == f"{count}\n{count}\n"


def limit_of(pid: int) -> int:
    """RLIMIT_NOFILE of a host process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Max open files")).split()[4])


def test_descriptor_limit(engine: Engine) -> None:
    """Of the sandbox and all that it has forked, the gofer among them."""
    engine.options = ["--fdlimit", "200"]
    pid = engine.create("a", *WAIT)
    children = [
        int(word)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for word in (task / "children").read_text().split()
    ]
    assert children and {limit_of(one) for one in (pid, *children)} == {200}
    engine.options = []
    done = engine("--fdlimit", "10", "list")
    assert done.returncode == 125 and "--fdlimit '10': a sandbox needs" in done.stderr


def test_dentry_cache(engine: Engine) -> None:
    """A small one changes nothing but how often the gofer is asked."""
    for size in ("0", "1", "100"):
        engine.options = ["--dcache", size]
        assert output(engine, "busybox find / -xdev | busybox wc -l") == output(
            engine, "busybox find / -xdev | busybox wc -l"
        )


def test_profile(engine: Engine) -> None:
    """Folded stacks of the sentry."""
    path = engine.folder / "profile"
    engine.options = ["--profile", str(path)]
    output(engine, "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); [ -e /bin/$i ]; done; :")
    lines = path.read_text().splitlines()
    assert lines and all(line.rpartition(" ")[2].isdigit() for line in lines)
    assert any("run_loop:RunLoop" in line for line in lines)


@pytest.mark.skipif(os.path.isdir("/run/systemd/system"), reason="systemd runs here")
def test_no_systemd(engine: Engine) -> None:
    """runc's words, and what to do."""
    engine.options = ["--systemd-cgroup"]
    done = engine("create", "--bundle", engine.bundle("/bin/sh"), "a")
    assert done.returncode == 125
    assert "systemd not running on this host, cannot use systemd cgroups manager" in done.stderr
    assert "--cgroup-manager=cgroupfs" in done.stderr
    engine.options += ["--ignore-cgroups"]
    assert engine("create", "--bundle", engine.bundle("/bin/sh"), "b").returncode == 0


def test_character_devices(engine: Engine) -> None:
    """There is one policy: a node of the root directory opens the sandbox's device, or none."""
    if os.geteuid() != 0:
        pytest.skip("only root makes device nodes")
    done = engine("--character-device-policy", "passthrough", "list")
    assert done.returncode == 125 and "use emulated-only" in done.stderr
    engine.options = ["--character-device-policy", "emulated-only"]
    bundle = engine.bundle("/bin/sh", "-c", "busybox head -c 3 /zero | busybox wc -c; echo >/kmsg")
    os.mknod(bundle / "rootfs" / "zero", 0o20666, os.makedev(1, 5))
    os.mknod(bundle / "rootfs" / "kmsg", 0o20666, os.makedev(1, 11))
    done = engine("run", "--bundle", bundle, "a")
    assert done.stdout == "3\n" and done.returncode == 1


def test_stop_timeout(engine: Engine) -> None:
    """A client that does not take its answers holds up the end for so long, and no longer."""
    engine.options = ["--control-rpc-stop-timeout", "1s"]
    pid = engine.create("a", *WAIT)
    assert engine("start", "a").returncode == 0
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(engine.root / "a.sock"))
    with client:
        client.settimeout(0.5)
        request = subscription()

        def ask() -> None:
            try:
                while True:
                    client.sendall(request)
            except OSError:
                return

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(30)
        assert engine("kill", "a", "KILL").returncode == 0
        eventually("the sandbox ends", lambda: not os.path.exists(f"/proc/{pid}/exe"))


def subscription() -> bytes:
    """A call whose answer is long, as the control socket takes it."""
    return wire.encode((wire.REQUEST, 1, Stacks.METHOD, {}))


@pytest.mark.parametrize("option", ["--file-access", "--file-access-mounts"])
@pytest.mark.parametrize("access", ["exclusive", "shared"])
def test_file_access(engine: Engine, tmp_path: Path, option: str, access: str) -> None:
    """Whether what the host changes meanwhile is seen, in the root directory or in a volume."""
    volume = tmp_path / "volume"
    volume.mkdir()

    def change(document: Any) -> None:
        document["root"]["readonly"] = False
        document["mounts"].append(
            {"destination": "/volume", "type": "bind", "source": str(volume), "options": ["bind"]}
        )

    engine.options = [option, access]
    bundle = engine.bundle(*WAIT, change=change)
    in_root = option == "--file-access"
    file = (bundle / "rootfs" if in_root else volume) / "file"
    name = "/file" if in_root else "/volume/file"
    file.write_text("short")
    assert engine("create", "--bundle", bundle, "a").returncode == 0
    assert engine("start", "a").returncode == 0
    words = ("exec", "a", "/bin/busybox", "stat", "-c", "%s", name)
    assert engine(*words).stdout == "5\n"
    file.write_text("much longer")
    assert engine(*words).stdout == ("5\n" if access == "exclusive" else "11\n")


def test_raw_sockets(engine: Engine) -> None:
    """CAP_NET_RAW is a container's only when the option lets it."""

    def change(document: Any) -> None:
        for kind in ("bounding", "effective", "permitted"):
            document["process"]["capabilities"][kind] = ["CAP_NET_RAW", "CAP_KILL"]

    script = "busybox grep CapEff /proc/self/status"
    assert output(engine, script, change).split() == ["CapEff:", f"{1 << 5:016x}"]
    engine.options = ["--net-raw"]
    assert output(engine, script, change).split() == ["CapEff:", f"{1 << 5 | 1 << 13:016x}"]
