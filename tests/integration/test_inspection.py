"""Control calls that look into a sandbox, and commands made of them."""

import json
import os
import signal
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.containers import BUSYBOX, WAIT, Engine
from harness.sandbox import EXECUTABLE
from runsc_py.runsc.control import inspection
from runsc_py.runsc.control.calls import Call
from runsc_py.runsc.control.client import ControlClient
from runsc_py.runsc.control.errors import GUEST, NOT_FOUND, UNSUPPORTED, ControlError
from runsc_py.runsc.control.inspector import Inspector
from runsc_py.runsc.control.message import message
from runsc_py.runsc.control.unsupported import UNSUPPORTED_CALLS

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")
LIMIT = 30.0


def running(engine: Engine, *arguments: str) -> None:
    """A container `a`."""
    engine.create("a", *arguments)
    assert engine("start", "a").returncode == 0


@pytest.fixture
def client(engine: Engine) -> Iterator[ControlClient]:
    """Of a sandbox whose container sleeps."""
    running(engine, *WAIT)
    with ControlClient(str(engine.root / "a.sock"), LIMIT) as made:
        yield made


def eventually(is_so: Callable[[], bool]) -> None:
    """Ask again and again, until it is."""
    deadline = time.monotonic() + LIMIT
    while not is_so():
        assert time.monotonic() < deadline


def process(*arguments: str) -> bytes:
    """An OCI process."""
    environment = ["PATH=/bin"]
    return json.dumps({"args": arguments, "cwd": "/", "env": environment}).encode()


def test_exec_and_ps(client: ControlClient) -> None:
    """Run to the end in one call; listed while it runs."""
    inspector = Inspector(client)
    reader, writer = os.pipe()
    null = os.open("/dev/null", os.O_RDWR)
    try:
        call = inspection.Exec("a", process("sh", "-c", "echo through; exit 3"))
        status = inspector.execute(call, [null, writer, null])
        assert os.waitstatus_to_exitcode(status) == 3
        assert os.read(reader, 100) == b"through\n"
    finally:
        for descriptor in (reader, writer, null):
            os.close(descriptor)
    for identifier in ("", "a"):
        header, line = inspector.ps(identifier).splitlines()
        assert header.split()[:3] == ["UID", "PID", "PPID"] and line.split()[1] == "1"
    with pytest.raises(ControlError) as info:
        inspector.ps("b")
    assert info.value.code == NOT_FOUND


def test_signal_process(engine: Engine, client: ControlClient) -> None:
    """By its number in the whole sandbox."""
    inspector = Inspector(client)
    for pid, number in ((77, 9), (1, 0), (1, 65), (-1, 9)):
        with pytest.raises(ControlError):
            inspector.signal_process(pid, number)
    inspector.signal_process(1, signal.SIGKILL)
    assert json.loads(engine("wait", "a").stdout) == {"id": "a", "exitStatus": 137}


def test_cat(client: ControlClient) -> None:
    """Files one after the other; all or none."""
    inspector = Inspector(client)

    def cat(*paths: str) -> bytes:
        reader, writer = os.pipe()
        with open(reader, "rb") as source:
            request = inspector.begin_cat("a", paths, writer)
            os.close(writer)
            data = source.read()
            assert client.finish(request, int) == len(data)
            return data

    assert BUSYBOX is not None
    program = Path(BUSYBOX).read_bytes()
    assert (
        cat("/proc/1/comm", "/bin/busybox", "/proc/1/comm") == b"busybox\n" + program + b"busybox\n"
    )
    for paths in (["/proc/1/comm", "/nowhere"], ["comm"], [], ["/bin"]):
        with pytest.raises(ControlError):
            cat(*paths)


def test_mount_and_umount(client: ControlClient) -> None:
    """As the container's superuser would; with flags."""
    inspector = Inspector(client)

    def mounted() -> list[str]:
        reader, writer = os.pipe()
        with open(reader) as source:
            request = inspector.begin_cat("a", ["/proc/1/mounts"], writer)
            os.close(writer)
            lines = source.read().splitlines()
            client.finish(request, int)
        return [line for line in lines if " /dev/shm " in line][1:]

    call = inspection.Mount(
        "a", "tmpfs", "mine", "/dev/shm", ["ro", "noexec", "noatime"], "size=1m"
    )
    inspector.mount(call)
    assert mounted() == ["mine /dev/shm tmpfs ro,noexec,noatime,size=1024k 0 0"]
    inspector.umount("a", "/dev/shm")
    assert mounted() == []
    inspector.mount(inspection.Mount("a", "bind", "/bin", "/dev/shm", ["ro", "nosuid"]))
    assert len(mounted()) == 1 and "ro,nosuid" in mounted()[0]
    inspector.umount("a", "/dev/shm", detach=True)
    for kind, source, destination, flags, options in (
        ("ext4", "none", "/dev/shm", [], ""),
        ("tmpfs", "none", "/nowhere", [], ""),
        ("tmpfs", "none", "dev", [], ""),
        ("tmpfs", "none", "/dev/shm", ["fast"], ""),
        ("tmpfs", "none", "/dev/shm", [], "size=x"),
        ("bind", "nowhere", "/dev/shm", [], ""),
    ):
        wrong = inspection.Mount("a", kind, source, destination, flags, options)
        with pytest.raises(ControlError):
            inspector.mount(wrong)
    with pytest.raises(ControlError) as info:
        inspector.umount("a", "/bin/busybox")
    assert (info.value.code, info.value.errno) == (GUEST, 22)
    assert mounted() == []


def test_control_files(engine: Engine, client: ControlClient) -> None:
    """Each answers for itself; limits are those of `update`."""
    inspector = Inspector(client)
    asked = [
        inspection.ControlFile("pids", "pids.max"),
        inspection.ControlFile("pids", "memory.max"),
        inspection.ControlFile("cgroup", "cgroup.procs"),
        inspection.ControlFile("hugetlb", "hugetlb.max"),
        inspection.ControlFile("memory", "memory.max", path="/below"),
    ]
    values, errors = zip(
        *((one.value, one.error) for one in inspector.read_control_files(asked)), strict=True
    )
    assert values[0].strip().isdigit() or values[0] == "max\n"
    assert values[1:] == ("", "1\n", "", "")
    assert [bool(error) for error in errors] == [False, True, False, True, True]
    words = ("--controller", "pids", "--file", "pids.max")
    assert engine("write-control", *words, "--data", "77", "a").returncode == 0
    assert engine("read-control", *words, "a").stdout == "77\n"
    inside = engine("exec", "a", "sh", "-c", "cat /sys/fs/cgroup/pids.max")
    assert inside.stdout == "77\n", inside.stderr
    assert engine("write-control", *words, "--data", "max", "a").returncode == 0
    assert engine("read-control", *words, "a").stdout == "max\n"
    for wrong in (
        ("write-control", *words, "--data", "-5", "a"),
        ("write-control", "--controller", "cpu", "--file", "cpu.max", "--data", "1", "a"),
        ("write-control", *words, "a"),
        ("read-control", *words, "--data", "1", "a"),
        ("read-control", "--controller", "pids", "a"),
    ):
        refused = engine(*wrong)
        assert refused.returncode == 125 and refused.stderr.startswith(f"runsc-py: {wrong[0]}")


def test_memory(engine: Engine, client: ControlClient) -> None:
    """Figures in a file, and caches that go."""
    inspector = Inspector(client)
    descriptor = os.memfd_create("figures")
    with ControlClient(str(engine.root / "a.sock"), LIMIT) as other:
        Inspector(other).usage_descriptor(descriptor, 20_000_000)
        total, *parts = struct.unpack("<5Q", os.pread(descriptor, 40, 0))
        assert parts[-1] > 1 << 20 and total >= parts[-1]
        os.pwrite(descriptor, bytes(40), 0)
        deadline = time.monotonic() + LIMIT
        while not any(os.pread(descriptor, 40, 0)):
            assert time.monotonic() < deadline
    with pytest.raises(ControlError):
        inspector.usage_descriptor(descriptor, 5)
    os.close(descriptor)
    assert inspector.reduce() >= 0
    assert engine("exec", "a", "sh", "-c", "echo x > /dev/shm/x; cat /dev/shm/x").stdout == "x\n"
    stats = inspector.file_io_stats()["a"]
    assert stats.writes >= 0 and stats.bytes_read >= 0
    assert "exclude each other" in engine("usage", "--fd", "--full", "a").stderr


def test_usage_by_descriptor(engine: Engine) -> None:
    """A line each second, until the sandbox ends."""
    running(engine, *WAIT)
    words = [EXECUTABLE, "--root", engine.root, "usage", "--fd", "a"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as watcher:
        assert watcher.stdout is not None
        assert json.loads(watcher.stdout.readline())["Sentry"] > 1 << 20
        assert engine("delete", "--force", "a").returncode == 0
        assert watcher.wait(LIMIT) == 0


def test_network_config(client: ControlClient) -> None:
    """A loopback interface only."""
    configuration = Inspector(client).network_config()
    assert configuration.mode == "sandbox"
    (loopback,) = configuration.interfaces
    assert (loopback.name, loopback.addresses) == ("lo", ["127.0.0.1/8", "::1/128"])


def test_cpu_profile(engine: Engine) -> None:
    """Folded stacks of the sentry, while programs keep it busy."""
    running(engine, "sh", "-c", "while :; do echo > /dev/null; done")
    descriptor = os.memfd_create("profile")
    with ControlClient(str(engine.root / "a.sock"), LIMIT) as client:

        def seen() -> bool:
            os.ftruncate(descriptor, 0)
            samples = Inspector(client).profile_cpu(descriptor, 500_000_000)
            folded = os.pread(descriptor, 1 << 20, 0).decode()
            lines = [line.rpartition(" ") for line in folded.splitlines()]
            programs = {stack: int(count) for stack, _, count in lines if stack[:9] == "programs;"}
            sentry = sum(int(count) for stack, _, count in lines if stack not in programs)
            assert sentry == samples
            return "programs;sh[1]" in programs and any(
                "run_loop:RunLoop.run;" in stack for stack, _, _ in lines
            )

        eventually(seen)
        for duration in (0, 1 << 60):
            with pytest.raises(ControlError):
                Inspector(client).profile_cpu(descriptor, duration)
    os.close(descriptor)


@pytest.mark.parametrize("method", ["containerManager.Checkpoint", "Profile.Heap", "No.Such"])
def test_what_is_not_offered_says_why(client: ControlClient, method: str) -> None:
    """With the code for it, and a hint when gVisor has it."""

    @message
    class Unknown(Call):
        METHOD = method

    with pytest.raises(ControlError) as info:
        client.call(Unknown(), int)
    assert info.value.code == UNSUPPORTED
    assert bool(info.value.hint) == (method in UNSUPPORTED_CALLS)


def test_events_are_pushed(engine: Engine) -> None:
    """Statistics and the end, of one subscription; `events` ends with the container."""
    running(engine, *WAIT)
    words = [EXECUTABLE, "--root", engine.root, "events"]
    with (
        subprocess.Popen([*words, "--interval", "20ms", "a"], stdout=subprocess.PIPE) as plain,
        subprocess.Popen([*words, "--follow", "--interval", "20ms", "a"], stdout=-1) as follow,
    ):
        assert plain.stdout is not None and follow.stdout is not None
        for _ in range(2):
            event = json.loads(plain.stdout.readline())
            assert event["type"] == "stats" and event["data"]["pids"]["current"] == 1
        kinds = [json.loads(follow.stdout.readline())["type"] for _ in range(3)]
        assert kinds == ["subscribed", "stats", "stats"]
        assert engine("kill", "a", "KILL").returncode == 0
        assert plain.wait(LIMIT) == 0 and follow.wait(LIMIT) == 0
        assert json.loads(follow.stdout.read().splitlines()[-1])["type"] == "exited"
    assert "at least 10ms" in engine("events", "--interval", "1ms", "a").stderr


def test_wait_by_number_in_the_sandbox(engine: Engine) -> None:
    """`--rootpid` counts as the root PID namespace does."""
    running(engine, *WAIT)
    started = engine("exec", "--detach", "a", "sh", "-c", "sleep 1; exit 4")
    assert started.returncode == 0, started.stderr
    assert "exclude each other" in engine("wait", "--pid", "1", "--rootpid", "1", "a").stderr
    assert engine("wait", "--rootpid", "99", "a").returncode == 125
    assert json.loads(engine("wait", "--rootpid", "2", "a").stdout)["exitStatus"] == 4


def test_list_of_sandboxes(engine: Engine) -> None:
    """First containers only, or those of one."""
    sandbox = {"io.kubernetes.cri.container-type": "sandbox"}
    inside = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "a"}
    for name, annotations in (("a", sandbox), ("b", inside)):
        bundle = engine.bundle(
            *WAIT, change=lambda document, one=annotations: document.update(annotations=one)
        )
        assert engine("create", "--bundle", bundle, name).returncode == 0
        assert engine("start", name).returncode == 0
    engine.create("c", *WAIT)
    assert engine("list", "-q").stdout.split() == ["a", "b", "c"]
    assert engine("list", "-q", "--sandbox").stdout.split() == ["a", "c"]
    assert engine("list", "-q", "--sandbox=a").stdout.split() == ["a", "b"]
    for name in ("b", "a", "c"):
        assert engine("delete", "--force", name).returncode == 0


def test_debug_looks_for_a_while(engine: Engine) -> None:
    """A profile, a trace that ends, a mount, and the sandbox's process instead of an id."""
    pid = engine.create("a", "sh", "-c", "while :; do echo > /dev/null; done")
    assert engine("start", "a").returncode == 0
    path = engine.folder / "out.folded"
    done = engine("debug", "--profile-cpu", path, "--duration", "500ms", "--delay", "10ms", "a")
    assert done.returncode == 0 and f"samples in {path}" in done.stderr
    assert path.exists()
    # On a busy machine the sandbox may have got nothing of a while.
    profile = ("debug", "--profile-cpu", "-", "--duration", "300ms", "--pid", str(pid))
    eventually(lambda: ";run_loop:RunLoop.run" in engine(*profile).stdout)
    follow = ("debug", "--follow=write", "--duration", "300ms", "a")
    eventually(lambda: 'write(1, "\\n", 1)' in engine(*follow).stdout)
    assert engine("debug", "--mount", "tmpfs:none:/dev/shm:ro,nodev", "a").returncode == 0
    refused = engine("exec", "a", "sh", "-c", "echo > /dev/shm/x")
    assert "Read-only file system" in refused.stderr
    for words, reason in (
        (("--mount", "tmpfs:/dev/shm", "a"), "TYPE:SOURCE:PLACE"),
        (("--mount", "ext4:none:/dev/shm", "a"), "No such device"),
        (("--follow", "--profile-cpu", "-", "a"), "exclude each other"),
        (("--pid", "1", "a"), "not both"),
        (("--pid", "1", "--ps"), "no sandbox of"),
        (("--signal", "SIGNONE", "a"), "unknown signal"),
        (("--profile-cpu", "/nowhere/x", "--duration", "1ms", "a"), "No such file or directory"),
    ):
        done = engine("debug", *words)
        assert done.returncode == 125 and reason in done.stderr


def test_debug_signals_the_sandbox(engine: Engine) -> None:
    """Its own process, not a program inside: that ends with it."""
    engine.create("a", *WAIT)
    assert engine("start", "a").returncode == 0
    assert engine("debug", "--signal", "KILL", "a").returncode == 0
    assert json.loads(engine("wait", "a").stdout)["exitStatus"] == 128 + signal.SIGKILL
