"""podman of an ordinary user, who has no more than a user namespace with one id in it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import ordinary
from harness.engines import IMAGE, Podman
from harness.processes import descendants, settle
from harness.programs import require

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="the other podman tests are rootless then"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="Debian: util-linux"),
]
OPTIONS = ("--network", "none")


@pytest.fixture(scope="module")
def nobodys(archive: Path) -> Iterator[Podman]:
    """podman as nobody, with a copy of runsc-py that nobody may run."""
    require(("podman", "podman"))
    python = ordinary.interpreter()
    if python is None:
        pytest.skip("no Python of this version that an ordinary user may execute")
    known = set(descendants())
    with tempfile.TemporaryDirectory(prefix="rootless-") as directory:
        place = Path(directory)
        place.chmod(0o755)
        (place / "podman").mkdir()
        runtime = ordinary.install(place / "installed", python)
        engine = Podman(place / "podman", str(runtime), ordinary.NOBODY)
        try:
            imported = engine.call("import", "-", IMAGE, stdin=archive.read_bytes())
            if "cannot clone" in imported.stderr or "newuidmap" in imported.stderr:
                pytest.skip("no user namespaces for ordinary users here")
            assert imported.status == 0, imported
            yield engine
        finally:
            engine.close()
            left = settle(known, 5.0, kill=False)
            settle(known, 5.0, kill=True)
    assert not left, "rootless podman left processes behind"


@pytest.fixture
def box(nobodys: Podman) -> Iterator[str]:
    """A container that runs."""
    nobodys("run", "--detach", "--name", "box", *OPTIONS, IMAGE, "sleep", "1000")
    yield "box"
    nobodys("rm", "--force", "--time", "0", "box")


def test_run(nobodys: Podman) -> None:
    """The user is root inside, and writes to the image's copy."""
    script = "id -u; touch /etc/new && stat -c %u /etc/new; cat; exit 9"
    words = ("run", "--rm", "--interactive", *OPTIONS, IMAGE, "sh", "-c", script)
    called = nobodys.call(*words, stdin=b"through\n")
    assert (called.status, called.stdout) == (9, "0\n0\nthrough\n")


def test_volume(nobodys: Podman) -> None:
    """What the container's root makes in a volume is the user's outside."""
    volume = nobodys.directory / "volume"
    volume.mkdir()
    os.chown(volume, ordinary.NOBODY, ordinary.NOBODY)
    mount = f"{volume}:/volume"
    nobodys("run", "--rm", *OPTIONS, "--volume", mount, IMAGE, "sh", "-c", "echo x > /volume/made")
    assert (volume / "made").read_text() == "x\n"
    assert (volume / "made").stat().st_uid == ordinary.NOBODY


def test_exec_kill_and_the_rest(nobodys: Podman, box: str) -> None:
    """Commands beside the first one; the end by a signal; logs and a second start."""
    assert nobodys("exec", box, "echo", "inside") == "inside\n"
    assert nobodys.call("exec", box, "sh", "-c", "exit 12").status == 12
    assert box in nobodys("ps")
    nobodys("kill", box)
    assert nobodys("wait", box) == "137\n"
    nobodys("start", box)
    assert nobodys("exec", box, "id", "-u") == "0\n"
    nobodys("stop", "--time", "0", box)


def test_copy(nobodys: Podman, box: str) -> None:
    """To and from a container that runs, by way of the sandbox's namespaces."""
    source = nobodys.directory / "source"
    source.write_text("copied\n")
    nobodys.call("exec", box, "cat", "/etc/copied")  # it is not there, and that is remembered
    nobodys("cp", source, f"{box}:/etc/copied")
    assert nobodys("exec", box, "cat", "/etc/copied") == "copied\n"
    nobodys("exec", box, "sh", "-c", "echo back > /etc/back")
    nobodys("cp", f"{box}:/etc/back", nobodys.directory / "back")
    assert (nobodys.directory / "back").read_text() == "back\n"


def test_top(nobodys: Podman, box: str) -> None:
    """The container's processes where its own ps(1) is asked, and never those of the host."""
    assert nobodys("top", box, "-o", "pid,args").split() == ["PID", "COMMAND", "1", "sleep", "1000"]
    for words in ((), ("pid", "args"), ("hpid", "comm")):
        called = nobodys.call("top", box, *words)
        assert len(called.stdout.split("\n", 1)[1].strip()) == 0, called


def test_exec_with_a_terminal(nobodys: Podman, box: str) -> None:
    assert nobodys("exec", "--interactive", "--tty", box, "tty").strip() == "/dev/pts/0"
