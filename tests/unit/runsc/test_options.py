"""Values of options: what is understood, what is refused and how."""

from pathlib import Path

import pytest

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import (
    parse_count,
    parse_duration,
    parse_host_name,
    parse_size,
    parse_tmpfs,
    parse_volume,
)
from runsc_py.runsc.text import printable


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("1k", 1024),
        ("256M", 256 << 20),
        ("256MB", 256 << 20),
        ("1.5GiB", 3 << 29),
        ("2t", 2 << 40),
    ],
)
def test_size(text: str, size: int) -> None:
    """Powers of 1024, however they are written."""
    assert parse_size("--memory", text) == size


@pytest.mark.parametrize(
    "text", ["", "M", "-1", "0", "1x", "1e3", "nan", "inf", "0x10", "9e9T", "٣"]
)
def test_no_size(text: str) -> None:
    """The message has an example."""
    with pytest.raises(RunscError, match="--memory .*: use a size, for example 64M"):
        parse_size("--memory", text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10", 10), ("0.5", 0.5), ("500ms", 0.5), ("2m", 120), ("1h", 3600)]
)
def test_duration(text: str, seconds: float) -> None:
    """Seconds, or with timeout(1)'s suffixes and ms."""
    assert parse_duration("--wall", text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "-1", "0", "nan", "inf", "1y", "1e9", "1..2", "99999999999"]
)
def test_no_duration(text: str) -> None:
    """Above all no NaN, which is never reached."""
    with pytest.raises(RunscError, match="--wall .*: use seconds"):
        parse_duration("--wall", text)


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "x", "99999999999", "²"])
def test_no_count(text: str) -> None:
    """Whole numbers only."""
    assert parse_count("--pids", "17") == 17
    with pytest.raises(RunscError, match="--pids .*: use a whole number"):
        parse_count("--pids", text)


def test_volume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docker's order and suffix; read-only unless it says rw."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for text, read_only in ((":/d", True), (":/d:ro", True), (":/d:rw", False)):
        volume = parse_volume(f"./data{text}")
        assert (volume.source, volume.destination) == (f"{tmp_path}/data", "/d")
        assert volume.read_only is read_only
    for words, read_only, shared in (
        ("ro", True, True),
        ("rw,exclusive", False, False),
        ("exclusive", True, False),
        ("shared,rw", False, True),
    ):
        volume = parse_volume(f".:/d:{words}")
        assert (volume.read_only, volume.shared) == (read_only, shared)
    assert parse_volume(".:/a/../b//c/").destination == "/b/c"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".", "use SRC:DST"),
        ("", "use SRC:DST"),
        (".:", "use SRC:DST"),
        (":/x", "use SRC:DST"),
        (".:/x:rx", "use SRC:DST"),
        (".:/x:ro,rw", "use SRC:DST"),
        (".:/x:rw,shared,exclusive", "use SRC:DST"),
        (".:/x:rw,", "use SRC:DST"),
        (".:relative", "must be an absolute path"),
        (".:/", "nothing can be mounted over /"),
        (".:/..", "nothing can be mounted over /"),
        ("./missing:/x", "No such file or directory"),
    ],
)
def test_no_volume(text: str, message: str) -> None:
    """What is wrong with it."""
    with pytest.raises(RunscError, match=message):
        parse_volume(text)


def test_tmpfs() -> None:
    """With and without a size."""
    assert (parse_tmpfs("/t").destination, parse_tmpfs("/t").size) == ("/t", None)
    assert parse_tmpfs("/t:1M").size == 1 << 20
    for text in ("t", "", "/:1M", "/t:", "/t:x"):
        with pytest.raises(RunscError, match="--tmpfs"):
            parse_tmpfs(text)


def test_host_name() -> None:
    """What fits into utsname and into a line."""
    assert parse_host_name("box-1.example") == "box-1.example"
    for text in ("", "x" * 65, "a b", "a\nb", "\x1b[2J"):
        with pytest.raises(RunscError, match="--hostname"):
            parse_host_name(text)


def test_printable() -> None:
    """A guest's names cannot drive the user's terminal."""
    assert printable("plain – ü") == "plain – ü"
    assert printable("a\x1b[2J\nb\u202e") == "a\\x1b[2J\\nb\\u202e"
