"""Programs of the Python API: limits that the sandbox keeps, terminals, input on the way."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from runsc_py.runsc import Result, RunscError, Sandbox, run, run_async

LIMIT = 60.0


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One for all: no test leaves a program in it."""
    with Sandbox() as made:
        yield made
        assert [one.command for one in made.processes()] == [".runsc-py-init"]


def wait_for(box: Sandbox, command: str) -> None:
    """A program with this name runs."""
    deadline = time.monotonic() + LIMIT
    while command not in {one.command for one in box.processes()}:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("command", "limits", "reason", "message"),
    [
        ("sleep 600", {"wall": 0.2}, "wall", "wall-clock limit of 0.2 s reached"),
        ("while :; do :; done", {"cpu": 0.2}, "cpu", "processor time limit of 0.2 s reached"),
        (
            ["python3", "-c", "x = b'x' * (64 << 20); import time; time.sleep(600)"],
            {"memory": "32M"},
            "memory",
            "memory limit of 32 MiB reached",
        ),
        ("yes", {"output": 1000}, "output", "output limit of 1000 bytes reached"),
    ],
)
def test_a_limit_is_of_one_program(
    box: Sandbox,
    command: str | list[str],
    limits: dict[str, float | str],
    reason: str,
    message: str,
) -> None:
    """It alone ends, with all it has started, and its record says why."""
    other = box.start("read word; echo $word", interactive=True)
    done = box.run(command, **limits)  # type: ignore[arg-type]
    assert (done.reason, done.signal, done.exit_code) == (reason, 9, None)
    assert done.message == message == done.details["message"]
    assert done.details["exit_status"] == (124 if reason in ("wall", "cpu") else 137)
    other.write("still here\n")
    assert other.wait(LIMIT).text == "still here\n"


def test_daemons_do_not_escape(box: Sandbox) -> None:
    """Who has left its session and its parents belongs to the program all the same."""
    started = "setsid sh -c 'sleep 601 & sleep 602' & (sleep 603 &); echo ready; "
    assert box.run(f"{started} sleep 604", wall=1).reason == "wall"
    program = box.start(f"{started} sleep 604")
    assert program.read_until("ready\n", LIMIT) == b"ready\n"
    wait_for(box, "sleep")
    program.kill()
    assert program.wait(LIMIT).reason == "signal"
    assert "sleep" not in {one.command for one in box.processes()}


def test_limits_are_kept_though_nobody_waits(box: Sandbox) -> None:
    """The sandbox does that, and not whoever reads the output."""
    program = box.start("sleep 600", wall=0.1)
    deadline = time.monotonic() + LIMIT
    while "sleep" in {one.command for one in box.processes()}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert program.wait(LIMIT).reason == "wall"


def test_what_a_program_used(box: Sandbox) -> None:
    """Time, processor time and memory, with its descendants."""
    done = box.run(["python3", "-c", "x = b'x' * (20 << 20)\nfor i in range(200_000): pass"])
    assert done.ok and 0 < done.cpu <= done.wall * 2
    assert done.memory_peak is not None and done.memory_peak > 20 << 20
    names = "version reason exit_status exit_code signal message wall_ms cpu_user_ms cpu_system_ms"
    assert set(names.split()) < set(done.details)


def test_open_files_and_sizes(box: Sandbox) -> None:
    """What getrlimit(2) says inside."""
    done = box.run("ulimit -n; ulimit -f; head -c 5000 /dev/zero > /f", files=20, file_size=4096)
    assert done.text == "20\n8\n" and not done.ok
    assert len(box.files.read("/f")) == 4096
    box.files.remove("/f")


def test_a_terminal(box: Sandbox) -> None:
    """With its size, its echo and its keys."""
    shell = box.start(["sh"], terminal=(40, 100), env={"PS1": "ready> "})
    shell.read_until("ready> ", LIMIT)
    shell.write("tty; stty size\n")
    assert b"/dev/pts/" in (seen := shell.read_until("ready> ", LIMIT)) and b"40 100" in seen
    shell.resize(20, 50)
    shell.write("stty size\n")
    assert b"20 50" in shell.read_until("ready> ", LIMIT)
    shell.write("sleep 600\n")
    wait_for(box, "sleep")
    shell.write("\x03")
    shell.read_until("ready> ", LIMIT)
    shell.write("\x04")
    done = shell.wait(LIMIT)
    assert done.reason == "exited" and done.stderr == b""
    with pytest.raises(RunscError, match="no terminal"):
        shell.resize(1, 1)


def test_talking_to_a_program(box: Sandbox) -> None:
    """What it says is read as it comes, and is in the result as well."""
    program = box.start("while read word; do echo got $word; done; echo end", interactive=True)
    program.write("one\n")
    assert program.read_until("\n", LIMIT) == b"got one\n"
    assert program.poll() is None
    with pytest.raises(TimeoutError):
        program.read(timeout=0.05)
    program.write(b"two\nthree\n")
    program.close_stdin()
    assert list(program) == ["got two\n", "got three\n", "end\n"]
    assert program.read() == b""
    done = program.wait(LIMIT)
    assert done.text == "got one\ngot two\ngot three\nend\n" and program.poll() is done
    program.write("nobody reads this")


def test_waiting_for_a_while(box: Sandbox) -> None:
    """The program goes on."""
    with box.start("sleep 600; echo no") as program:
        with pytest.raises(TimeoutError):
            program.wait(0.05)
        assert program.poll() is None
    assert program.wait().signal == 9


def test_asynchronous_programs(box: Sandbox) -> None:
    """With what is shown as it comes; several at a time."""
    seen: list[bytes] = []

    async def both() -> list[Result]:
        first = box.run_async("echo one", on_stdout=seen.append)
        program = await asyncio.to_thread(box.start, "echo two; exit 3")
        return list(await asyncio.gather(first, program.wait_async()))

    one, two = asyncio.run(both())
    assert (one.text, two.text, two.exit_code, seen) == ("one\n", "two\n", 3, [b"one\n"])


def test_more_programs_than_asyncio_has_threads(box: Sandbox) -> None:
    """Those that run for long hold none: others start, and all can be cancelled."""

    async def many() -> None:
        waiting = [asyncio.create_task(box.run_async("sleep 600")) for _ in range(40)]
        assert (await box.run_async("echo still")).text == "still\n"
        program = await asyncio.to_thread(box.start, "cat", interactive=True)
        ended = asyncio.create_task(program.wait_async())
        program.write("words")
        program.close_stdin()
        assert (await ended).text == "words"
        for one in waiting:
            one.cancel()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in results)

    asyncio.run(asyncio.wait_for(many(), LIMIT))


def test_what_goes_wrong_in_a_callback(box: Sandbox) -> None:
    """Is raised where the program is waited for, and ends it."""

    def fail(data: bytes) -> None:
        raise ZeroDivisionError

    async def wait() -> None:
        with pytest.raises(ZeroDivisionError):
            await box.run_async("echo; sleep 600", on_stdout=fail)
        with pytest.raises(ZeroDivisionError):
            await run_async("echo; sleep 600", on_stdout=fail)

    asyncio.run(wait())
    assert "sleep" not in {one.command for one in box.processes()}


def test_a_run_of_its_own_has_its_output_limited_and_shown() -> None:
    """As programs of a sandbox have."""
    seen: list[bytes] = []
    done = run("yes", output=100, on_stdout=seen.append, wall=LIMIT)
    assert (done.reason, len(done.stdout)) == ("output", 100) and b"".join(seen)[:4] == b"y\ny\n"
    made = run(["df", "/t"], tmpfs={"/t": "1M"}, hostname="other")
    assert "1024" in made.text
    assert run("hostname", hostname="other").text == "other\n"


def test_a_run_of_its_own_is_cancelled() -> None:
    """And ends at once."""

    async def cancel() -> None:
        arrived = asyncio.Event()
        loop = asyncio.get_running_loop()

        def show(data: bytes) -> None:
            loop.call_soon_threadsafe(arrived.set)

        waiting = asyncio.create_task(run_async("echo ready; sleep 600", on_stdout=show))
        await arrived.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(asyncio.wait_for(cancel(), LIMIT))
