"""Who may use the Python API, and from where: threads, forks, ordinary users, any directory."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import ordinary
from harness.images import busybox_layer, directory, docker_archive, entry
from harness.processes import settle
from runsc_py.runsc import RunscError, Sandbox, run

LIMIT = 60.0
TREE = Path(__file__).parents[2]
TYPED = """
import asyncio
from pathlib import Path

from runsc_py.runsc import Event, FileInfo, PortForward, Process, Result, Sandbox, run


def agent(box: Sandbox, code: str) -> str:
    box.files.write("/work/main.py", code)
    listed: list[FileInfo] = box.files.list("/work")
    done: Result = box.run(["python3", "/work/main.py"], wall=10, cpu=5, memory="64M", cwd="/work")
    program: Process = box.start("cat", interactive=True, terminal=(24, 80))
    first: bytes = program.read(timeout=1.0)
    with box.forward(80) as port, box.events() as events:
        one: PortForward = port
        event: Event = next(events)
    reason: str = done.reason
    code_of_exit: int | None = done.exit_code
    return reason if code_of_exit else done.text + str(len(listed)) + str((first, one, event))


async def main() -> None:
    async with await asyncio.to_thread(Sandbox, memory="256M", image=Path("a.tar")) as box:
        done = await box.run_async("true", check=True)
        print(done.details["wall_ms"], run("true", volumes={Path("/tmp"): "/t"}).wall)
"""
WRONG = {
    'box.run("true", wal=1)': "wal",
    'box.run("true", wall="1")': "wall",
    'Sandbox(images="a")': "images",
    'run("true", memory=[])': "memory",
}


def test_threads() -> None:
    """A sandbox is for all of them; none has to be the main one, no signal handler changes."""
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    results: list[str] = []

    def work() -> None:
        with Sandbox() as box:
            threads = [
                threading.Thread(
                    target=lambda n=number: results.append(box.run(f"echo {n}; sleep 0.1").text)
                )
                for number in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(LIMIT)
        results.append(run("echo once").text)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(LIMIT)
    assert sorted(results) == sorted([f"{number}\n" for number in range(8)] + ["once\n"])
    assert before == {number: signal.getsignal(number) for number in signal.valid_signals()}


def test_one_program_and_several_threads() -> None:
    """One reads while another writes and a third one ends it."""
    with Sandbox() as box:
        program = box.start("cat; sleep 600", interactive=True)
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(program))
        reader.start()
        program.write("x" * 500_000 + "\n")
        program.write("end\n")
        program.close_stdin()
        while len(lines) < 2 and reader.is_alive():
            reader.join(0.02)
        program.kill()
        reader.join(LIMIT)
        assert [len(line) for line in lines] == [500_001, 4]
        assert program.wait(LIMIT).signal == signal.SIGKILL


def test_a_fork_does_not_keep_a_sandbox() -> None:
    """Its end does not end it, and its life does not keep it."""
    reader, writer = os.pipe()
    with Sandbox() as box:
        program = box.start("cat", interactive=True)
        pid = os.fork()
        if pid == 0:
            os.close(writer)
            try:
                box.run("true")
            except RunscError as error:
                box.close()
                os.read(reader, 1)
                os._exit(3 if "belongs to the process" in str(error) else 4)
            os._exit(5)
        os.close(reader)
        program.write("words")
        program.close_stdin()
        assert program.wait(LIMIT).text == "words"
        assert box.run("echo still").text == "still\n"
    os.close(writer)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3


def test_the_end_of_the_interpreter_closes_what_is_open(tmp_path: Path) -> None:
    """Also what nobody has closed."""
    program = "from runsc_py.runsc import Sandbox; box = Sandbox(); box.start('sleep 600')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        timeout=LIMIT,
    )
    assert (done.returncode, done.stderr, os.listdir(tmp_path)) == (0, "", [])


def test_modules_of_the_working_directory_are_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of a sandbox may have written there."""
    monkeypatch.chdir(tmp_path)
    for name in ("json", "runsc_py", "selectors", "msgpack"):
        (tmp_path / f"{name}.py").write_text("import os; os._exit(99)")
    assert run("echo fine").text == "fine\n"
    with Sandbox() as box:
        assert box.run("echo fine").text == "fine\n"


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="ordinary-") as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="who runs this is an ordinary user anyway")
def test_an_ordinary_user(open_path: Path) -> None:
    """From a copy that only sys.path leads to; volumes that he may write to; nothing left."""
    python = ordinary.interpreter()
    if python is None:
        pytest.skip("no Python of this version that an ordinary user may execute")
    place = open_path
    ordinary.install(place / "installed", python)
    work = place / "work"
    work.mkdir()
    home = place / "home"
    home.mkdir()
    for directory_of_his in (work, home):
        os.chown(directory_of_his, ordinary.NOBODY, ordinary.NOBODY)
    layer = busybox_layer(
        directory("home"), directory("home/anna", uid=7, gid=8, mode=0o700),
        entry("home/anna/file", b"hers\n", uid=7, gid=8, mode=0o600),
    )  # fmt: skip
    image = docker_archive(place / "image.tar", [layer], "test:1", User="7:8")
    image.chmod(0o644)
    program = f"""
import sys
sys.path.insert(0, {str(place / "installed")!r})
from runsc_py.runsc import Sandbox, run
with Sandbox(volumes={{"{work}": "/work:rw"}}, memory="256M", pids=20) as box:
    done = box.run("id -u; echo new > /work/file; echo $PYTHONPATH")
    assert done.text == "0\\n\\n", done
    assert box.files.read("/work/file") == b"new\\n"
    with box.add_container() as second:
        assert second.run("id -u", user="7").text == "7\\n"
    assert box.run("sleep 60", wall=0.1).reason == "wall"
assert run("id -u").text == "0\\n"
with Sandbox(image={str(image)!r}) as box:
    done = box.run("cd /home/anna && cat file; stat -c '%u %g %a' file . /bin")
    assert done.text == "hers\\n7 8 600\\n7 8 700\\n0 0 755\\n", done
"""
    known = set(os.listdir("/proc"))
    words = ["setpriv", "--reuid", str(ordinary.NOBODY), "--regid", str(ordinary.NOBODY)]
    done = subprocess.run(
        [*words, "--clear-groups", "--no-new-privs", python, "-I", "-c", program],
        capture_output=True,
        text=True,
        env={"TMPDIR": str(work), "PATH": os.environ["PATH"], "HOME": str(home)},
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(work) == ["file"] and (work / "file").stat().st_uid == ordinary.NOBODY
    assert not settle({int(one) for one in known if one.isdigit()}, LIMIT, kill=False)


def test_it_is_typed(tmp_path: Path) -> None:
    """mypy --strict takes a right program, and finds what is wrong with others."""
    pytest.importorskip("mypy")
    (tmp_path / "types" / "runsc_py").mkdir(parents=True)
    for part in ordinary.PARTS:
        (tmp_path / "types" / "runsc_py" / part).symlink_to(TREE / part)
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(TYPED)
    wrong.write_text(
        "from runsc_py.runsc import Sandbox, run\nbox = Sandbox()\n" + "\n".join(WRONG) + "\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(right), str(wrong)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(tmp_path / "types")},
    )
    assert "right.py" not in done.stdout, done.stdout
    errors = [line for line in done.stdout.splitlines() if "error" in line and "wrong.py" in line]
    assert len(errors) == len(WRONG), done.stdout
    for error, word in zip(errors, WRONG.values(), strict=True):
        assert word in error
