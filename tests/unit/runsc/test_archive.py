"""tar archives: what we read and write is what GNU tar and Python read and write."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.headers import BLOCK, parse_records, timestamp
from runsc_py.runsc.archive.member import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    FIFO,
    HARD_LINK,
    REGULAR,
    SYMLINK,
    Member,
    split_path,
)
from runsc_py.runsc.archive.reader import HEADER_LIMIT, TarReader
from runsc_py.runsc.archive.streams import decompressed
from runsc_py.runsc.archive.writer import TarWriter


def read(data: bytes) -> list[tuple[Member, bytes]]:
    """Every entry with its bytes, holes filled."""
    found = []
    reader = TarReader(io.BytesIO(data))
    for member in reader:
        content = bytearray(member.size if member.size < 1 << 25 else 0)
        for offset, part in reader.content():
            content[offset : offset + len(part)] = part
        found.append((member, bytes(content)))
    return found


def written(*entries: tuple[Member, bytes]) -> bytes:
    data = io.BytesIO()
    writer = TarWriter(lambda part: None if data.write(part) else None)
    for member, content in entries:
        writer.add_with(member, [content])
    writer.finish()
    return data.getvalue()


def member(name: bytes, kind: bytes = REGULAR, **fields: object) -> Member:
    made = Member(name, kind)
    for key, value in fields.items():
        setattr(made, key, value)
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files of every kind that tar writes without being root."""
    os.chdir(tmp_path)
    (tmp_path / "plain").write_bytes(b"hello")
    with open("sparse", "wb") as file:
        file.seek(1 << 20)
        file.write(b"x" * 5000)
        file.seek(5 << 20)
        file.write(b"y")
        file.truncate(9 << 20)
    long = tmp_path / ("d" * 120) / ("n" * 120)
    long.parent.mkdir()
    long.write_bytes(b"long")
    Path(os.fsdecode(b"\xff\xfe")).touch()
    os.symlink("t" * 150, "link")
    os.link("plain", "second")
    os.mkfifo("fifo")
    os.utime("plain", ns=(0, 1_600_000_000_123_456_789))
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu", "-S"],
        ["--format=posix", "-S"],
        ["--format=posix", "-S", "--sparse-version=0.0"],
        ["--format=posix", "-S", "--sparse-version=0.1"],
        ["--format=posix"],
    ],
    ids=" ".join,
)
def test_what_gnu_tar_writes(tree: Path, options: list[str]) -> None:
    """Names, links, contents and holes, in each of its formats."""
    done = subprocess.run(
        ["tar", "-c", "--sort=name", *options, "."], cwd=tree, capture_output=True, check=True
    )
    found = {
        bytes(entry.name).removeprefix(b"./"): (entry, data) for entry, data in read(done.stdout)
    }
    assert found[b"plain"][1] == b"hello"
    assert found[b"sparse"][1] == (tree / "sparse").read_bytes()
    assert (found[b"sparse"][0].extents is not None) == ("-S" in options)
    assert found[b"d" * 120 + b"/" + b"n" * 120][1] == b"long"
    assert b"\xff\xfe" in found
    assert (found[b"link"][0].type, found[b"link"][0].link) == (SYMLINK, b"t" * 150)
    assert (found[b"second"][0].type, found[b"second"][0].link) == (HARD_LINK, b"./plain")
    assert found[b"fifo"][0].type == FIFO
    precise = "--format=posix" in options
    nanoseconds = 123_456_789 if precise else 0
    assert found[b"plain"][0].mtime == 1_600_000_000_000_000_000 + nanoseconds


def test_old_formats(tree: Path) -> None:
    """Unix V7 and ustar, which have no room for long names."""
    for form in ("v7", "ustar"):
        words = ["tar", "-c", f"--format={form}", "plain", "second", "sparse"]
        done = subprocess.run(words, cwd=tree, capture_output=True, check=True)
        entries = read(done.stdout)
        assert [entry.name for entry, _ in entries] == [b"plain", b"second", b"sparse"]
        assert entries[2][1] == (tree / "sparse").read_bytes()


def test_what_we_write_gnu_tar_unpacks(tmp_path: Path) -> None:
    """Long names, names that are no text, holes, links, times, modes."""
    data = written(
        (member(b"d", DIRECTORY, mode=0o750), b""),
        (member(b"d/" + b"n" * 200, size=3, mtime=1_600_000_000_123_456_789), b"abc"),
        (member(b"\xff\xfe" * 70), b""),
        (
            member(b"sparse", size=1 << 30, extents=[(0, 512), (1 << 29, 5)]),
            b"abcd" * 128 + b"12345",
        ),
        (member(b"link", SYMLINK, link=b"\xfe" * 130), b""),
        (member(b"hard", HARD_LINK, link=b"d/" + b"n" * 200), b""),
        (member(b"fifo", FIFO, mode=0o600), b""),
        (member(b"old", mtime=-5_500_000_000), b""),
    )
    done = subprocess.run(
        ["tar", "-xp"], cwd=tmp_path, input=data, stderr=subprocess.PIPE, check=False
    )
    # It complains of implausibly old times, and of nothing else.
    assert all(b"implausibly" in line for line in done.stderr.splitlines())
    long = tmp_path / "d" / ("n" * 200)
    assert long.read_bytes() == b"abc"
    assert long.stat().st_mtime_ns == 1_600_000_000_123_456_789
    assert os.path.samefile(tmp_path / "hard", long)
    assert os.path.exists(os.path.join(os.fsencode(tmp_path), b"\xff\xfe" * 70))
    sparse = tmp_path / "sparse"
    assert sparse.stat().st_size == 1 << 30 and sparse.stat().st_blocks < 100
    with sparse.open("rb") as file:
        file.seek(1 << 29)
        assert file.read(6) == b"12345\0"
    assert os.readlink(os.path.join(os.fsencode(tmp_path), b"link")) == b"\xfe" * 130
    assert (tmp_path / "d").stat().st_mode & 0o7777 == 0o750
    assert (tmp_path / "fifo").is_fifo()


def test_what_we_write_python_reads() -> None:
    """Large numbers, devices, extended attributes."""
    data = written(
        (
            member(
                b"x" * 300 + b"/" + b"y" * 90,
                uid=3_000_000_000,
                gid=4_000_000,
                mode=0o6755,
                xattrs={b"user.a": b"\0\xff\n="},
                comment=b"remark",
            ),
            b"",
        ),
        (member(b"null", CHARACTER_DEVICE, device=(1, 3)), b""),
        (member(b"disk", BLOCK_DEVICE, device=(253, 70000)), b""),
    )
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as tar:
        first, null, disk = tar
    assert (first.uid, first.gid, first.mode) == (3_000_000_000, 4_000_000, 0o6755)
    assert first.name == "x" * 300 + "/" + "y" * 90
    value = first.pax_headers["SCHILY.xattr.user.a"]
    assert value.encode(errors="surrogateescape") == b"\0\xff\n="
    assert (null.type, null.devmajor, null.devminor) == (tarfile.CHRTYPE, 1, 3)
    assert (disk.devmajor, disk.devminor) == (253, 70000)


def test_a_file_of_more_than_8_gigabytes() -> None:
    """Its size has no room in the header; the content is not read to skip it."""
    size = 1 << 35
    head = io.BytesIO()
    writer = TarWriter(lambda part: None if head.write(part) else None)
    writer.add(member(b"huge", size=size))
    content = head.getvalue()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        found = tar.next()
        assert found is not None and found.size == size
    entry = next(iter(TarReader(io.BytesIO(content))))
    assert entry.size == size


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz", ""])
def test_compression_is_recognized(kind: str) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{kind}") as tar:  # type: ignore[call-overload]
        info = tarfile.TarInfo("a")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"abc"))
    data.seek(0)
    reader = TarReader(decompressed(data))
    assert [(entry.name, list(reader.content())) for entry in reader] == [(b"a", [(0, b"abc")])]


# -- damage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_damaged_compression(kind: str) -> None:
    """Cut off anywhere, or with a byte changed, it is an ArchiveError and nothing else."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{kind}") as tar:  # type: ignore[call-overload]
        info = tarfile.TarInfo("a")
        info.size = 3000
        tar.addfile(info, io.BytesIO(os.urandom(3000)))
    whole = data.getvalue()
    for place in range(8, len(whole) - 1, 97):
        for broken in (whole[:place], whole[:place] + b"\x55" + whole[place + 1 :]):
            reader = TarReader(decompressed(io.BytesIO(broken)))
            try:
                for _ in reader:
                    list(reader.content())
            except ArchiveError:
                continue


def test_cut_off() -> None:
    """Within a header, or within content."""
    data = written((member(b"a", size=1000), b"x" * 1000))
    for length in (100, BLOCK + 10, BLOCK + 1000):
        with pytest.raises(ArchiveError, match="cut off"):
            read(data[:length])


def test_no_end_marker() -> None:
    """Some writers leave it out; whoever must know whether it was there can."""
    data = written((member(b"a"), b""))
    for whole in (True, False):
        reader = TarReader(io.BytesIO(data if whole else data[:BLOCK]))
        assert [entry.name for entry in reader] == [b"a"]
        assert reader.ended is whole


def test_damaged_header() -> None:
    data = bytearray(written((member(b"a"), b"")))
    data[0] ^= 1
    with pytest.raises(ArchiveError, match="damaged"):
        read(bytes(data))


def test_extended_header_is_bounded() -> None:
    """It is refused by its length, before it is read."""
    entry = member(b"a", xattrs={b"user.a": b"x" * (HEADER_LIMIT + 1)})
    with pytest.raises(ArchiveError, match="too long"):
        read(written((entry, b"")))


def test_unknown_type() -> None:
    with pytest.raises(ArchiveError, match="unknown type"):
        read(written((member(b"a", b"Q"), b"")))


@pytest.mark.parametrize(
    "data", [b"5 a=", b"x a=b\n", b"9 a=b\n", b"4 a\n", b"99999999999999999999999 a=b\n"]
)
def test_damaged_records(data: bytes) -> None:
    with pytest.raises(ArchiveError):
        list(parse_records(data))


def test_times() -> None:
    assert timestamp(b"12.5") == 12_500_000_000
    assert timestamp(b"-0.000000001") == -1
    assert timestamp(b"3.1234567899") == 3_123_456_789
    with pytest.raises(ArchiveError):
        timestamp(b"1e3")


def test_paths() -> None:
    assert split_path(b"/./a//b/") == [b"a", b"b"]
    for bad in (b"../a", b"a/..", b"a\0b", b"x" * 256):
        with pytest.raises(ArchiveError):
            split_path(bad)


@pytest.mark.parametrize(
    "extents", [[(0, 5), (3, 5)], [(90, 20)], [(0, 4)], [(50, 5), (0, 5)]], ids=str
)
def test_maps_of_holes_are_checked(extents: list[tuple[int, int]]) -> None:
    """Overlapping, beyond the end, not what is stored, out of order."""
    good = member(b"a", size=100, extents=[(0, 5), (50, 5)])
    data = written((good, b"x" * 10))
    text = b"3\n0\n5\n50\n5\n100\n0\n"
    assert text in data
    numbers = [len(extents), *(number for extent in extents for number in extent)]
    bad = b"".join(b"%d\n" % number for number in numbers).ljust(len(text), b"\0")
    with pytest.raises(ArchiveError):
        read(data.replace(text, bad))
