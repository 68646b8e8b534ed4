"""The Python API: what it promises, and the examples of its page."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runsc_py.runsc import ProcessFailed, RunscError, Sandbox, run, run_async

TREE = Path(__file__).parents[2]
EXAMPLES = [
    example
    for page in (TREE / "README.md", TREE / "docs" / "python-api.md")
    for example in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
]
LIMIT = 30.0


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A sandbox without limits."""
    with Sandbox() as made:
        yield made


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_examples(example: str) -> None:
    """Each runs as it stands."""
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run(tmp_path: Path) -> None:
    """Status, streams, environment, directory, volumes."""
    (tmp_path / "in").write_text("content")
    done = run(
        'cat; cat /v/in; echo "$A $HOME $PWD" >&2; echo new > /v/out; exit 7',
        stdin=b"given ",
        env={"A": "b"},
        cwd="/usr",
        volumes={tmp_path: "/v:rw"},
    )
    assert (done.reason, done.exit_code, done.ok) == ("exited", 7, False)
    assert (done.text, done.error_text) == ("given content", "b /root /usr\n")
    assert (tmp_path / "out").read_text() == "new\n"
    killed = run("kill -TERM $$")
    assert (killed.reason, killed.exit_code, killed.signal) == ("signal", None, 15)
    assert asyncio.run(run_async("echo 1")).text == "1\n"


@pytest.mark.parametrize(
    ("command", "limits", "reason"),
    [
        ("sleep 60", {"wall": 0.3}, "wall"),
        ("while :; do :; done", {"cpu": 0.2}, "cpu"),
        (["python3", "-c", "x = b'x' * (1 << 28)"], {"memory": "32M"}, "memory"),
    ],
)
def test_limits_of_a_run(
    command: str | list[str], limits: dict[str, float | str], reason: str
) -> None:
    """Each is told from the others."""
    done = run(command, **limits)  # type: ignore[arg-type]
    assert (done.reason, done.signal) == (reason, 9) and "limit" in done.message


def test_what_cannot_be_run() -> None:
    """That is an exception, with the reason; wrong arguments before anything starts."""
    with pytest.raises(RunscError, match="nowhere: No such file or directory"):
        run(["/nowhere"])
    with pytest.raises(RunscError, match="no command given"):
        run([])
    with pytest.raises(RunscError, match="use a size"):
        run(["true"], memory="much")
    with pytest.raises(RunscError, match="--volume"):
        run(["true"], volumes={"/nowhere": "/v"})
    with pytest.raises(RunscError, match="rootfs"):
        Sandbox(rootfs="/nowhere")
    with pytest.raises(ProcessFailed, match="exit status 3") as caught:
        run("echo words; exit 3", check=True)
    assert caught.value.result.text == "words\n"


def test_programs_share_files(box: Sandbox) -> None:
    """What one writes the next one reads; the host does not see it."""
    assert box.run("echo 1 > /from-one; echo $$").ok
    assert box.run(["cat", "/from-one"]).text == "1\n"
    assert not Path("/from-one").exists()
    with pytest.raises(RunscError, match="No such file"):
        box.run(["/nowhere"])
    assert box.run("id -u; id -un", user="nobody").text == "65534\nnobody\n"
    assert box.run("echo $A $B", env={"B": "2"}).text == "2\n"
    assert box.run("pwd", cwd="/usr").text == "/usr\n"


def test_streams(box: Sandbox) -> None:
    """Both apart, larger than pipes, in pieces as they come; input larger than what is read."""
    seen: list[bytes] = []
    done = box.run("cat; echo problem >&2", stdin=b"x" * 1_000_000, on_stdout=seen.append)
    assert done.stdout == b"x" * 1_000_000 == b"".join(seen)
    assert done.error_text == "problem\n"
    assert box.run("head -c 3", stdin=b"x" * 1_000_000).stdout == b"xxx"
    # Who is left in the background with the streams open does not hold up the end.
    assert box.run("sleep 60 & echo done").text == "done\n"
    with pytest.raises(ZeroDivisionError):
        box.run("echo; sleep 60", on_stdout=lambda data: 1 / 0)


def test_limits_of_a_program(box: Sandbox) -> None:
    """Time and output; its descendants end with it, the sandbox goes on."""
    slow = box.run("sleep 600 & (sleep 601; :) & sleep 602", wall=0.3)
    assert (slow.reason, slow.signal) == ("wall", 9)
    much = box.run("yes", output=1000)
    assert much.reason == "output" and len(much.stdout) == 1000
    assert "sleep" not in box.run("ps -e -o args").text
    assert box.run("true").ok


def test_memory_of_a_sandbox() -> None:
    """More than it may use is its end, and every program's result says so."""
    with Sandbox(memory="64M") as box:
        other = box.start("sleep 60")
        done = box.run(["python3", "-c", "x = b'x' * (1 << 28)"])
        assert (done.reason, done.signal) == ("memory", 9)
        assert "limit of 64 MiB" in done.message
        assert other.wait().signal == 9
        with pytest.raises(RunscError, match="sandbox"):
            box.run("true")


def test_number_of_processes() -> None:
    """Forks fail; the sandbox goes on."""
    with Sandbox(pids=5) as box:
        done = box.run("for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait")
        assert "fork" in done.error_text.lower()
        assert box.run("true").ok


def test_files(box: Sandbox, tmp_path: Path) -> None:
    """In, out, refused; what was changed, as a list and as an archive."""
    box.files.write("/made/here/file", b"\0\xff", mode=0o600)
    assert box.files.read("/made/here/file") == b"\0\xff"
    assert box.run("stat -c %a /made/here/file").text == "600\n"
    box.files.write("/made/here/file", "shorter"[:1])
    assert box.files.read_text("/made/here/file") == "s"
    large = os.urandom(3_000_000)
    box.files.write("/made/large", large)
    assert box.files.read("/made/large") == large
    with pytest.raises(FileNotFoundError):
        box.files.read("/nowhere")
    with pytest.raises(NotADirectoryError):
        box.files.write("/etc/passwd/x", "")
    with pytest.raises(RunscError, match="not a regular file"):
        box.files.read("/made")
    with pytest.raises(RunscError, match="not an absolute path"):
        box.files.write("made", "")
    box.run("rm /etc/hostname; mkfifo /made/fifo")
    with pytest.raises((OSError, RunscError)):
        box.files.write("/made/fifo", "")
    changes = {(one.kind, one.path): one.size for one in box.changes()}
    assert changes["A", "/made/large"] == 3_000_000 and changes["A", "/made"] is None
    if Path("/etc/hostname").is_file():
        assert ("D", "/etc/hostname") in changes
    box.files.export(tmp_path / "layer.tar")
    with tarfile.open(tmp_path / "layer.tar") as archive:
        assert "made/here/file" in archive.getnames()
    assert box.usage().tmpfs >= 3_000_000


def test_killing(box: Sandbox) -> None:
    """A signal of one's own, or the whole family."""
    process = box.start("trap 'echo caught; exit 4' TERM; echo ready; while :; do sleep 0.1; done")
    process.send_signal(signal.SIGTERM)
    done = process.wait()
    assert done.exit_code == 4 or done.signal == signal.SIGTERM
    other = box.start("sleep 600 & sleep 601")
    other.kill()
    assert other.wait().signal == 9
    other.kill()


def test_cancelling(box: Sandbox) -> None:
    """The program is killed, and nothing waits for it."""

    async def cancel() -> None:
        waiting = asyncio.create_task(box.run_async("sleep 600"))
        while "sleep 600" not in (await box.run_async("ps -e -o args")).text:
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(cancel())
    assert "sleep 600" not in box.run("ps -e -o args").text


def test_a_sandbox_ends_with_its_owner(tmp_path: Path) -> None:
    """However that ends; nothing but a directory is left by one that is shot."""
    program = (
        "import os, signal, time; from runsc_py.runsc import Sandbox; box = Sandbox();"
        "box.start('sleep 600'); print(box._child.pid, flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    deadline = time.monotonic() + LIMIT
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the sandbox goes on without its owner"
        time.sleep(0.05)


def test_closing() -> None:
    """Twice is once; a program that runs is told from one that was killed."""
    box = Sandbox()
    process = box.start("sleep 600")
    box.close()
    box.close()
    assert process.wait().reason == "sandbox"
    with pytest.raises(RunscError):
        box.run("true")


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    """The command line shares the package."""
    program = "import sys, runsc_py.runsc; print('runsc_py.runsc.api' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"
    import runsc_py.runsc

    with pytest.raises(AttributeError, match="has no attribute 'wings'"):
        runsc_py.runsc.wings  # type: ignore[attr-defined]  # noqa: B018
