"""Archives of any entries, read back by us, Python and GNU tar; layers against a model."""

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import images
from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.member import DIRECTORY, REGULAR, SYMLINK, Member
from runsc_py.runsc.archive.reader import TarReader
from runsc_py.runsc.archive.unpacker import Unpacker
from runsc_py.runsc.archive.writer import TarWriter

COMPONENTS = st.binary(min_size=1, max_size=120).filter(
    lambda name: not set(name) & {0, 0x2F} and name not in (b".", b"..")
)
PATHS = st.lists(COMPONENTS, min_size=1, max_size=4).map(b"/".join)
TIMES = st.integers(-(1 << 31) * 10**9, (1 << 33) * 10**9)
IDS = st.integers(0, 0xFFFFFFFE)


@st.composite
def members(draw: st.DrawFn) -> tuple[Member, bytes]:
    """An entry and its content."""
    kind = draw(st.sampled_from([REGULAR, REGULAR, DIRECTORY, SYMLINK]))
    member = Member(draw(PATHS), kind)
    member.mode = draw(st.integers(0, 0o7777))
    member.uid, member.gid, member.mtime = draw(IDS), draw(IDS), draw(TIMES)
    member.comment = draw(st.sampled_from([b"", b"remark"]))
    names = st.sampled_from([b"user.a", b"user.b", b"security.capability"])
    member.xattrs = draw(st.dictionaries(names, st.binary(max_size=40), max_size=2))
    content = b""
    if kind == SYMLINK:
        member.link = draw(PATHS)
    elif kind == REGULAR:
        content = draw(st.binary(max_size=1500))
        member.size = len(content)
        blocks = len(content) // 512
        if blocks and draw(st.booleans()):
            # Whole blocks, each followed by a hole; a rest at the end.
            member.extents = [(number * 1024, 512) for number in range(blocks)]
            content = content[: blocks * 512]
            member.size = blocks * 1024 + draw(st.integers(0, 5000))
    return member, content


def write(entries: list[tuple[Member, bytes]]) -> bytes:
    data = io.BytesIO()
    writer = TarWriter(lambda part: None if data.write(part) else None)
    for member, content in entries:
        writer.add_with(member, [content])
    writer.finish()
    return data.getvalue()


@settings(max_examples=120)
@given(entries=st.lists(members(), max_size=4))
def test_round_trip(entries: list[tuple[Member, bytes]]) -> None:
    """Every field comes back, and Python agrees on names, sizes and owners."""
    data = write(entries)
    reader = TarReader(io.BytesIO(data))
    for (member, content), found in zip(entries, reader, strict=True):
        assert found.name.rstrip(b"/") == member.name
        for field in ("type", "mode", "uid", "gid", "mtime", "link", "comment", "size", "xattrs"):
            assert getattr(found, field) == getattr(member, field), field
        assert found.extents == member.extents
        assert b"".join(part for _, part in reader.content()) == content
    assert reader.ended
    with tarfile.open(fileobj=io.BytesIO(data), errors="surrogateescape") as tar:
        for (member, _), info in zip(entries, tar, strict=True):
            assert os.fsencode(info.name) == member.name
            assert (info.uid, info.gid, info.size) == (member.uid, member.gid, member.size)


@settings(max_examples=25)
@given(entries=st.lists(members(), max_size=4))
def test_gnu_tar_lists_it(entries: list[tuple[Member, bytes]]) -> None:
    """All of it, and without a complaint about its form."""
    words = ["tar", "-t", "--quoting-style=escape"]
    done = subprocess.run(words, input=write(entries), capture_output=True, check=True)
    assert len(done.stdout.splitlines()) == len(entries)
    assert done.stderr == b""


@settings(max_examples=300)
@given(data=st.binary(max_size=2000), start=st.sampled_from([0, 1, 2]))
def test_any_bytes(data: bytes, start: int) -> None:
    """Read as an archive, alone or behind a good entry: an ArchiveError, or an end."""
    member = Member(b"good")
    prefix = write([(member, b"")])[: start * 512]
    reader = TarReader(io.BytesIO(prefix + data))
    try:
        for _ in reader:
            for _ in reader.content():
                pass
    except ArchiveError:
        return


# -- layers ------------------------------------------------------------------------------------

PLACES = ("a", "b", "d/a", "d/b", "d/e/a")
LAYERS = st.lists(
    st.fixed_dictionaries(
        {
            "files": st.sets(st.sampled_from(PLACES), max_size=4),
            "whiteouts": st.sets(st.sampled_from([*PLACES, "d", "d/e"]), max_size=3),
            "opaque": st.sets(st.sampled_from(["", "d", "d/e"]), max_size=1),
            "reverse": st.booleans(),
        }
    ),
    min_size=1,
    max_size=4,
)


def marked(place: str, prefix: str) -> str:
    parent, _, name = place.rpartition("/")
    return f"{parent}/{prefix}{name}" if parent else prefix + name


@settings(max_examples=120)
@given(layers=LAYERS)
def test_layers(layers: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each hides of the lower ones what its marks say, in whatever order, and adds its own."""
    root = Path(tmp_path_factory.mktemp("root"))
    expected: dict[str, bytes] = {}
    descriptor = os.open(root, os.O_RDONLY)
    unpacker = Unpacker(descriptor)
    try:
        for number, layer in enumerate(layers):
            files, hidden, opaque = (layer[key] for key in ("files", "whiteouts", "opaque"))
            assert isinstance(files, set) and isinstance(hidden, set) and isinstance(opaque, set)
            entries = [images.entry(place, b"%d" % number) for place in sorted(files)]
            entries += [images.entry(marked(place, ".wh.")) for place in sorted(hidden)]
            entries += [
                images.entry(f"{place}/.wh..wh..opq".lstrip("/")) for place in sorted(opaque)
            ]
            if layer["reverse"]:
                entries.reverse()
            gone = [f"{place}/" for place in hidden]
            gone += [f"{place}/" if place else "" for place in opaque]
            expected = {
                place: data
                for place, data in expected.items()
                if place not in hidden and not any(place.startswith(prefix) for prefix in gone)
            }
            expected |= dict.fromkeys(files, b"%d" % number)
            reader = TarReader(io.BytesIO(images.archive(entries)))
            unpacker.unpack(reader, layered=True)
        unpacker.finish()
    finally:
        unpacker.close()
        os.close(descriptor)
    found = {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    assert found == expected
