"""The process that writes exports, fed by a sentry that was taken over."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from harness.images import archive, directory, entry, hard_link, symlink
from harness.live import eventually
from runsc_py.runsc.export.receiver import Receiver
from runsc_py.runsc.export.target import Target

NAMES = ("export", "export.tar")


def send(target: Path, data: bytes) -> str:
    """Feed a stream to a receiver; returns its complaint."""
    receiver = Receiver(Target(str(target)))
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(receiver.descriptor, view) :]
    except BrokenPipeError:
        pass  # it has seen enough
    return receiver.finish()


@pytest.mark.parametrize("name", NAMES)
def test_a_good_stream(name: str, tmp_path: Path) -> None:
    """So that the complaints below are about what is wrong in them."""
    assert send(tmp_path / name, archive([directory("d"), entry("d/f", b"x")])) == ""
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "layer",
    [
        [entry("../evil", b"x")],
        [entry("a/../../evil", b"x")],
        [entry("x" * 300, b"")],
    ],
    ids=["parent", "inner", "long"],
)
def test_names(name: str, layer: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path) -> None:
    """Refused in an archive too: whoever unpacks it may be less careful."""
    (tmp_path / "out").mkdir()
    assert send(tmp_path / "out" / name, archive(layer))
    assert os.listdir(tmp_path) == ["out"] and os.listdir(tmp_path / "out") == []


def test_links_of_a_directory(tmp_path: Path) -> None:
    """Nothing is written or linked through them."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("host")
    outside = str(tmp_path / "outside")
    layer = [symlink("a", outside), entry("a/evil", b"x"), symlink("b", f"{outside}/secret")]
    assert send(tmp_path / "export", archive([*layer, entry("b", b"new")])) == ""
    assert os.listdir(outside) == ["secret"]
    assert (tmp_path / "outside" / "secret").read_text() == "host"
    assert send(tmp_path / "second", archive([hard_link("h", f"{outside}/secret")]))
    assert (tmp_path / "outside" / "secret").stat().st_nlink == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 5000,
        archive([entry("f", b"x" * 5000)])[:3000],
        archive([entry("f", b"x")])[:1024],
        bytes(100),
    ],
    ids=["nothing", "garbage", "content-cut", "end-cut", "short"],
)
def test_streams_that_end_too_early(name: str, data: bytes, tmp_path: Path) -> None:
    """The sentry died, or lies: there is no export, and nothing is left of one."""
    assert send(tmp_path / name, data)
    assert os.listdir(tmp_path) == []


def test_what_was_there_stays_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / "export.tar").write_text("old")
    assert send(tmp_path / "export.tar", b"garbage" * 1000)
    assert (tmp_path / "export.tar").read_text() == "old"
    (tmp_path / "export").mkdir()
    receiver = Receiver(Target(str(tmp_path / "export")))
    # Somebody was quicker and put something there.
    (tmp_path / "export" / "mine").touch()
    os.write(receiver.descriptor, archive([entry("f", b"x")]))
    assert "not empty" in receiver.finish()
    assert os.listdir(tmp_path / "export") == ["mine"]
    assert sorted(os.listdir(tmp_path)) == ["export", "export.tar"]


def test_it_holds_nothing_else(tmp_path: Path) -> None:
    """Of our descriptors it has the stream, the reply, the directory, and /dev/null."""
    secret = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(secret, True)
    receiver = Receiver(Target(str(tmp_path / "export.tar")))
    try:
        # It has closed the others once it has begun to write.
        os.write(receiver.descriptor, archive([entry("f", b"x" * 600_000)])[:400_000])
        eventually("it writes", lambda: bool(os.listdir(tmp_path)))
        place = f"/proc/{receiver.pid}/fd"
        held = sorted(os.readlink(f"{place}/{number}") for number in os.listdir(place))
    finally:
        os.close(secret)
        assert receiver.finish()
    kinds = {path.partition(":")[0].partition(str(tmp_path))[0] or "here" for path in held}
    assert kinds == {"/dev/null", "pipe", "here"}
    assert len([path for path in held if path.startswith("pipe")]) == 2


def test_the_archive_is_what_was_sent(tmp_path: Path) -> None:
    """Byte by byte, what follows the end marker included."""
    data = archive([directory("d"), entry("d/f", b"x" * 3000)]) + bytes(10240)
    assert send(tmp_path / "e.tar", data) == ""
    assert (tmp_path / "e.tar").read_bytes() == data
    assert send(tmp_path / "e.tgz", data) == ""
    with tarfile.open(tmp_path / "e.tgz") as packed, tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert packed.getnames() == tar.getnames()
