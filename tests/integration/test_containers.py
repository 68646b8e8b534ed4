"""Containers from create to delete, on a bundle made of busybox."""

import json
import os
import select
import socket
from typing import Any

import pytest

from harness.containers import BUSYBOX, WAIT, Engine

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")


def test_a_whole_life(engine: Engine) -> None:
    """The states in their order; the pid file's process ends as the container does."""
    pid = engine.create("a", "/bin/sh", "-c", "exit 7")
    assert engine.status("a") == "created"
    assert engine("start", "a").returncode == 0
    # The test process reaps orphans, as conmon and the shim do.
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert engine.status("a") == "stopped"
    assert engine("delete", "a").returncode == 0
    gone = engine("delete", "a")
    assert gone.returncode != 0 and "does not exist" in gone.stderr
    assert "does not exist" in engine.last_error()
    assert engine("delete", "--force", "a").returncode == 0


def test_commands_in_the_wrong_state(engine: Engine) -> None:
    """Each is refused with the reason, and changes nothing."""
    engine.create("a", *WAIT)
    for words, reason in (
        (("create", "--bundle", engine.folder / "bundle0", "a"), "already exists"),
        (("pause", "a"), "cannot pause container a: it is created"),
        (("resume", "a"), "cannot resume container a: it is created"),
    ):
        done = engine(*words)
        assert done.returncode != 0 and reason in done.stderr
    assert engine.status("a") == "created"
    assert engine("start", "a").returncode == 0
    for words, reason in (
        (("start", "a"), "cannot start an already running container"),
        (("delete", "a"), "cannot delete container a that is not stopped: running"),
        (("resume", "a"), "cannot resume container a: it is running"),
        (("kill", "a", "WINGS"), "unknown signal 'WINGS'"),
        (("kill", "--pid", "1", "--all", "a"), "exclude each other"),
    ):
        done = engine(*words)
        assert done.returncode != 0 and reason in done.stderr
    assert engine("pause", "a").returncode == 0
    assert engine.status("a") == "paused"
    for words, reason in (
        (("pause", "a"), "cannot pause container a: it is paused"),
        (("start", "a"), "cannot start an already running container"),
        (("exec", "a", "/bin/sh"), "cannot exec in a paused container (use --ignore-paused"),
    ):
        done = engine(*words)
        assert done.returncode != 0 and reason in done.stderr
    assert engine("resume", "a").returncode == 0
    assert engine("kill", "a", "KILL").returncode == 0
    pid = int(next(iter((engine.folder / "pid").read_text().split())))
    os.waitpid(pid, 0)
    for words, reason in (
        (("kill", "a"), "container not running"),
        (("start", "a"), "cannot start a container that has stopped"),
        (("exec", "a", "/bin/sh"), "cannot exec in a stopped container"),
        (("pause", "a"), "cannot pause container a: it is stopped"),
    ):
        done = engine(*words)
        assert done.returncode != 0 and reason in done.stderr
    assert engine("kill", "--all", "a", "9").returncode == 0


def test_killing_all_waits_for_the_end(engine: Engine) -> None:
    """Nothing is left to be waited for when the command returns."""
    script = "trap '' TERM; sleep 600 & sleep 600 & while :; do wait; done"
    for name in ("a", "b"):
        engine.create(name, "/bin/sh", "-c", script.replace("sleep", "/bin/busybox sleep"))
        assert engine("start", name).returncode == 0
        assert engine("kill", "--all", name, "TERM").returncode == 0
        assert engine.status(name) == "running"
        assert engine("kill", "--all", name, "KILL").returncode == 0
        assert engine.status(name) == "stopped"


def test_exec(engine: Engine) -> None:
    """Output, status, variables, directory, detached with a process to wait for."""
    engine.create("a", *WAIT)
    engine("start", "a")
    script = 'echo "$A $PWD"; exit 3'
    words = ("exec", "--env", "A=1", "--cwd", "/bin", "a", "/bin/sh", "-c", script)
    done = engine(*words)
    assert (done.returncode, done.stdout) == (3, "1 /bin\n")
    missing = engine("exec", "a", "/nowhere")
    assert missing.returncode == 127 and "No such file or directory" in missing.stderr
    pid_file = engine.folder / "exec-pid"
    words = ("exec", "--detach", "--pid-file", str(pid_file), "a", "/bin/sh", "-c", "exit 5")
    assert engine(*words).returncode == 0
    status = os.waitpid(int(pid_file.read_text()), 0)[1]
    assert os.waitstatus_to_exitcode(status) == 5


def test_exec_that_cannot_write_its_pid_file_leaves_no_process(engine: Engine) -> None:
    """Nobody would ever know of it."""
    engine.create("a", *WAIT)
    engine("start", "a")
    nowhere = engine.folder / "nowhere" / "pid"
    done = engine("exec", "--detach", "--pid-file", nowhere, "a", *WAIT)
    assert done.returncode != 0 and "No such file or directory" in done.stderr
    while json.loads(engine("ps", "--format", "json", "a").stdout) != [1]:
        continue


def test_exec_of_a_process_file(engine: Engine) -> None:
    """As conmon and the shim call it."""
    engine.create("a", *WAIT)
    engine("start", "a")
    path = engine.folder / "process.json"
    process = {"cwd": "/", "args": ["/bin/busybox", "id", "-u"], "user": {"uid": 12, "gid": 0}}
    path.write_text(json.dumps(process))
    assert engine("exec", "--process", path, "a").stdout == "12\n"
    path.write_text('{"cwd": "/"}')
    wrong = engine("exec", "--process", path, "a")
    assert wrong.returncode != 0 and "args must not be empty" in wrong.stderr


def test_ps_events_list(engine: Engine) -> None:
    """The shapes that engines read."""
    pid = engine.create("a", *WAIT)
    engine("start", "a")
    assert json.loads(engine("ps", "--format", "json", "a").stdout) == [1]
    header, line = engine("ps", "a").stdout.splitlines()
    assert header.split()[:3] == ["UID", "PID", "PPID"] and line.split()[:3] == ["0", "1", "0"]
    event = json.loads(engine("events", "--stats", "a").stdout)
    assert (event["type"], event["id"], event["data"]["pids"]["current"]) == ("stats", "a", 1)
    (entry,) = json.loads(engine("list", "--format", "json").stdout)
    assert (entry["id"], entry["pid"], entry["status"]) == ("a", pid, "running")
    assert engine("list", "-q").stdout == "a\n"
    assert engine("list").stdout.split()[:3] == ["ID", "PID", "STATUS"]


def test_hooks_in_order(engine: Engine) -> None:
    """Those before the program, after its start, after its deletion, with the state of then."""
    seen = engine.folder / "seen"

    def add_hooks(document: Any) -> None:
        phases = ("poststop", "poststart", "createContainer", "createRuntime", "prestart")
        document["hooks"] = {
            phase: [
                {
                    "path": "/bin/sh",
                    "args": ["sh", "-c", f'printf "{phase} " >> {seen}; cat >> {seen}'],
                }
            ]
            for phase in phases
        }

    bundle = engine.bundle("/bin/busybox", "true", change=add_hooks)
    assert engine("run", "--bundle", bundle, "a").returncode == 0
    text = seen.read_text().replace("}", "}\n").splitlines()
    states = [(line.split()[0], json.loads(line.partition(" ")[2])["status"]) for line in text]
    assert states == [
        ("prestart", "creating"),
        ("createRuntime", "creating"),
        ("createContainer", "creating"),
        ("poststart", states[3][1]),
        ("poststop", "stopped"),
    ]
    # The program may have ended by then.
    assert states[3][1] in ("running", "stopped")


@pytest.mark.parametrize("phase", ["prestart", "createRuntime", "createContainer"])
def test_a_failing_hook_leaves_nothing(engine: Engine, phase: str) -> None:
    """The container is gone, and the reason is told."""

    def add_hook(document: Any) -> None:
        document["hooks"] = {phase: [{"path": "/bin/sh", "args": ["sh", "-c", "exit 4"]}]}

    done = engine("create", "--bundle", engine.bundle("/bin/sh", change=add_hook), "a")
    assert done.returncode != 0
    assert f"error running {phase} hook #0: /bin/sh: exit status 4" in engine.last_error()
    assert os.listdir(engine.root) == []


def test_a_terminal_goes_through_the_console_socket(engine: Engine) -> None:
    """The master end is sent; what the program prints is read there."""

    def with_terminal(document: Any) -> None:
        document["process"]["terminal"] = True

    bundle = engine.bundle("/bin/busybox", "tty", change=with_terminal)
    refused = engine("create", "--bundle", bundle, "a")
    assert refused.returncode != 0 and "without setting console socket" in refused.stderr
    path = engine.folder / "console"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        words = ("create", "--bundle", bundle, "--console-socket", path, "a")
        assert engine(*words).returncode == 0, engine.last_error()
        connection, _ = listener.accept()
        with connection:
            name, (master,), _, _ = socket.recv_fds(connection, 256, 1)
    assert name.startswith(b"/dev/")
    assert engine("start", "a").returncode == 0
    text = b""
    while b"\n" not in text:
        text += os.read(master, 1024)
    os.close(master)
    assert text.startswith(b"/dev/")


def test_a_killed_sandbox_is_stopped(engine: Engine) -> None:
    """Also as a zombie, which nobody has reaped yet: delete does not wait for that."""
    pid = engine.create("a", *WAIT)
    engine("start", "a")
    os.kill(pid, 9)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert engine.status("a") == "stopped"
    assert engine("delete", "a").returncode == 0
    os.waitpid(pid, 0)


def test_update(engine: Engine) -> None:
    """A limit of processes that the next one meets; wrong words change nothing."""
    engine.create("a", *WAIT)
    engine("start", "a")
    assert engine("exec", "a", "/bin/sh", "-c", "/bin/busybox true").returncode == 0
    for words, reason in (
        (("update", "--pids-limit", "x", "a"), "invalid value for pids-limit: 'x'"),
        (("update", "--cpu-period", "-5", "a"), "invalid value for cpu-period: '-5'"),
        (("update", "--memory", "1Q", "a"), "--memory '1Q': use a size"),
        (("update", "--blkio-weight", "70000", "a"), "update: Expected `int` <= 65535"),
        (("update", "--l3-cache-schema", "L3:0=f", "a"), "Intel RDT is not supported"),
        (("update", "--resources", "/nowhere", "a"), "/nowhere not found"),
    ):
        done = engine(*words)
        assert done.returncode != 0 and reason in done.stderr
    assert engine("update", "--pids-limit", "2", "a").returncode == 0
    full = engine("exec", "a", "/bin/sh", "-c", "/bin/busybox true; /bin/busybox true")
    assert full.returncode != 0
    resources = engine.folder / "resources.json"
    resources.write_text('{"pids": {"limit": 100}}')
    assert engine("update", "--resources", resources, "a").returncode == 0
    assert engine("exec", "a", "/bin/sh", "-c", "/bin/busybox true").returncode == 0


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [("shared", b"shared:"), ("rprivate", b"-"), ("unbindable", b"unbindable"), ("slave", b"-")],
)
def test_propagation_of_the_root_directory(engine: Engine, wanted: str, shown: bytes) -> None:
    """linux.rootfsPropagation is what mountinfo has of the root."""

    def change(document: Any) -> None:
        document["linux"]["rootfsPropagation"] = wanted

    script = "/bin/busybox awk '$5 == \"/\" { print $7 }' /proc/self/mountinfo"
    bundle = engine.bundle("/bin/sh", "-c", script, change=change)
    done = engine("run", "--bundle", bundle, "a")
    assert done.stdout.encode().startswith(shown), done


@pytest.mark.parametrize(
    ("scheduler", "shown"),
    [
        ({"policy": "SCHED_BATCH", "nice": 5}, "25 5 0 3"),
        ({"policy": "SCHED_FIFO", "priority": 10}, "-11 0 10 1"),
        ({"policy": "SCHED_IDLE"}, "20 0 0 5"),
    ],
)
def test_scheduler(engine: Engine, scheduler: Any, shown: str) -> None:
    """process.scheduler is what proc_pid_stat(5) has: priority, nice, rt_priority, policy."""

    def change(document: Any) -> None:
        document["process"]["scheduler"] = scheduler

    script = "{ print $18, $19, $40, $41 }"
    bundle = engine.bundle("/bin/busybox", "awk", script, "/proc/self/stat", change=change)
    assert engine("run", "--bundle", bundle, "a").stdout == f"{shown}\n"


def test_time_offsets(engine: Engine) -> None:
    """linux.timeOffsets are those of the container's time namespace (time_namespaces(7))."""

    def change(document: Any) -> None:
        document["linux"]["namespaces"].append({"type": "time"})
        document["linux"]["timeOffsets"] = {
            "monotonic": {"secs": 5, "nanosecs": 7},
            "boottime": {"secs": 10**9},
        }

    script = "busybox=/bin/busybox; $busybox cat /proc/self/timens_offsets /proc/uptime"
    bundle = engine.bundle("/bin/sh", "-c", script, change=change)
    words = engine("run", "--bundle", bundle, "a").stdout.split()
    assert words[:6] == ["monotonic", "5", "7", "boottime", str(10**9), "0"]
    assert float(words[6]) > 10**9


def test_a_descriptor_of_the_process(engine: Engine) -> None:
    """`--pidfd-socket`: readable when the container's process, or that of exec, has ended."""
    path = engine.folder / "pidfd"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def received() -> int:
            connection, _ = server.accept()
            with connection:
                name, (descriptor,), _, _ = socket.recv_fds(connection, 64, 1)
            assert name == b"pidfd"
            return descriptor

        words = ("--pidfd-socket", path)
        created = engine("create", "--bundle", engine.bundle(*WAIT), *words, "a")
        assert created.returncode == 0, created.stderr
        container = received()
        assert engine("start", "a").returncode == 0
        assert engine("exec", "--detach", *words, "a", "/bin/sh", "-c", "exit 1").returncode == 0
        assert select.select([one := received()], [], [], 30)[0]
        os.close(one)
        assert not select.select([container], [], [], 0)[0]
        assert engine("kill", "a", "KILL").returncode == 0
        assert select.select([container], [], [], 30)[0]
        os.close(container)


@pytest.mark.parametrize("place", ["proc", "sys"])
def test_a_link_where_a_file_system_of_the_kernel_belongs(engine: Engine, place: str) -> None:
    """It is refused, wherever it leads."""
    bundle = engine.bundle("/bin/sh", "-c", "true")
    (bundle / "rootfs" / place).symlink_to("bin")
    done = engine("run", "--bundle", bundle, "a")
    assert done.returncode != 0 and "must be mounted on ordinary directory" in done.stderr
