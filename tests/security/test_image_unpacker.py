"""Archives that try to leave the directory they are unpacked into, or to do harm there."""

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.images import archive, directory, entry, hard_link, symlink
from runsc_py.runsc.archive.directories import DEEPEST
from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.reader import TarReader
from runsc_py.runsc.archive.unpacker import Budget, Unpacker

Entry = tuple[tarfile.TarInfo, bytes]
SECRET = b"of the host"


class Victim:
    """A directory to unpack into, between things that must stay as they are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "root"
        self.outside = path / "outside"
        self.root.mkdir()
        self.outside.mkdir()
        (self.outside / "secret").write_bytes(SECRET)
        os.chmod(self.outside / "secret", 0o600)
        self._before = self._look()

    def _look(self) -> dict[str, tuple[object, ...]]:
        found = {}
        for place in (self.path, self.outside, self.outside / "secret"):
            status = place.lstat()
            links = status.st_nlink if place.is_file() else 0
            found[str(place)] = (
                status.st_mode,
                status.st_uid,
                links,
                sorted(os.listdir(place)) if place.is_dir() else place.read_bytes(),
            )
        return found

    def unpack(self, *layers: list[Entry] | bytes, budget: Budget | None = None) -> None:
        """Layers, one over the other; then everything outside is as it was."""
        root = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        unpacker = Unpacker(root, budget=budget)
        try:
            for layer in layers:
                data = layer if isinstance(layer, bytes) else archive(layer)
                unpacker.unpack(TarReader(io.BytesIO(data)), layered=True)
            unpacker.finish()
        finally:
            unpacker.close()
            os.close(root)
            self.check()

    def check(self) -> None:
        assert self._look() == self._before, "something outside was changed"

    def names(self) -> list[str]:
        """Everything below the root."""
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Victim]:
    place = tmp_path / "place"
    place.mkdir()
    yield Victim(place)


def test_the_standard_library_would_fall_for_it(victim: Victim) -> None:
    """The attack of the next tests works where nothing is done against it."""
    data = archive([symlink("out", "../outside"), entry("out/evil", b"x")])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        tar.extraction_filter = staticmethod(lambda member, path: member)  # type: ignore[assignment]
        tar.extractall(victim.root)
    assert (victim.outside / "evil").exists()


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "..", "a/.."])
def test_names_that_climb(victim: Victim, name: str) -> None:
    with pytest.raises(ArchiveError, match="climbs"):
        victim.unpack([directory("a"), entry(name, b"x")])


def test_absolute_names_are_below_the_root(victim: Victim) -> None:
    victim.unpack([entry("/etc/evil", b"x"), entry("//a//b", b"y")])
    assert victim.names() == ["a", "a/b", "etc", "etc/evil"]


@pytest.mark.parametrize("target", ["../outside", "/outside", "{outside}", "../../../../.."])
def test_links_as_parents_stay_inside(victim: Victim, target: str) -> None:
    """A link is followed against the root of the image, as a container would."""
    target = target.format(outside=victim.outside)
    victim.unpack([symlink("out", target), entry("out/evil", b"x")])
    assert not (victim.outside / "evil").exists()
    assert [name for name in victim.names() if name.endswith("evil")]


def test_links_as_parents_across_layers(victim: Victim) -> None:
    """A layer that uses a directory by way of a link of a lower one, as usr-merge has it."""
    victim.unpack(
        [directory("usr/lib"), symlink("lib", "usr/lib"), symlink("abs", "/usr/lib")],
        [entry("lib/a", b"a"), entry("abs/b", b"b")],
    )
    assert victim.names() == ["abs", "lib", "usr", "usr/lib", "usr/lib/a", "usr/lib/b"]
    assert os.readlink(victim.root / "lib") == "usr/lib"


def test_links_in_a_circle(victim: Victim) -> None:
    with pytest.raises(ArchiveError, match="too many symbolic links"):
        victim.unpack([symlink("a", "b"), symlink("b", "a"), entry("a/x", b"")])


def test_a_file_in_place_of_a_link(victim: Victim) -> None:
    """The link is replaced, never written through."""
    link = symlink("passwd", "../outside/secret")
    victim.unpack([link, entry("passwd", b"new")])
    assert (victim.root / "passwd").read_bytes() == b"new"
    assert not (victim.root / "passwd").is_symlink()


def test_a_file_in_place_of_a_hard_link(victim: Victim) -> None:
    """What shares its bytes with another name is replaced, not written to."""
    victim.unpack(
        [entry("a", b"old"), hard_link("b", "a")],
        [entry("b", b"new")],
    )
    assert (victim.root / "a").read_bytes() == b"old"
    assert (victim.root / "b").read_bytes() == b"new"


@pytest.mark.parametrize(
    "target", ["../outside/secret", "out/secret", "{outside}/secret", "absent", "d"]
)
def test_hard_links_lead_to_files_of_the_image(victim: Victim, target: str) -> None:
    target = target.format(outside=victim.outside)
    layer = [directory("d"), symlink("out", "../outside"), hard_link("evil", target)]
    with pytest.raises(ArchiveError):
        victim.unpack(layer)
    assert not (victim.root / "evil").exists()


def test_a_hard_link_to_a_symbolic_link(victim: Victim) -> None:
    """It is one to the link itself, whose target nobody looks at."""
    victim.unpack([symlink("s", "../outside/secret"), hard_link("h", "s"), entry("h", b"x")])
    assert (victim.root / "s").is_symlink() and (victim.root / "h").read_bytes() == b"x"


def test_modes_are_not_applied_through_links(victim: Victim) -> None:
    """A directory's mode is set in the end; by then there may be a link in its place."""
    victim.unpack([directory("d", mode=0o777), symlink("d", "../outside")])
    victim.unpack([directory("e", mode=0o777)], [entry(".wh.e"), symlink("e", "../outside")])


def test_device_nodes_are_not_made(victim: Victim) -> None:
    """Not by root either: an image's /dev/sda would be the host's disk."""
    devices = [
        entry("null", kind=tarfile.CHRTYPE, devmajor=1, devminor=3),
        entry("disk", kind=tarfile.BLKTYPE, devmajor=8, devminor=0),
        entry("whiteout", kind=tarfile.CHRTYPE, devmajor=0, devminor=0),
    ]
    victim.unpack([*devices, entry("fifo", kind=tarfile.FIFOTYPE)])
    assert victim.names() == ["fifo"]


def test_set_id_bits_stay(victim: Victim) -> None:
    """They are the image's; the cache's directory keeps others out."""
    victim.unpack([entry("su", b"", mode=0o4755), directory("mail", mode=0o2775)])
    assert stat.S_IMODE((victim.root / "su").stat().st_mode) == 0o4755
    assert stat.S_IMODE((victim.root / "mail").stat().st_mode) == 0o2775


def test_extended_attributes_that_mean_something_to_the_host(victim: Victim) -> None:
    """Those of an overlay, of a security module: left out."""
    fields = {
        "pax_headers": {
            f"SCHILY.xattr.{name}": "y"
            for name in ("trusted.overlay.opaque", "security.selinux", "user.fine", "system.evil")
        }
    }
    victim.unpack([directory("d", **fields), entry("f", b"", **fields)])
    for name in ("d", "f"):
        assert set(os.listxattr(victim.root / name)) <= {"user.fine"}


def test_more_than_the_disk_has(victim: Victim) -> None:
    """By bytes, and by number; a hole costs nothing."""
    with pytest.raises(ArchiveError, match="more than"):
        victim.unpack([entry("a", bytes(2000))], budget=Budget(1999, 10))
    with pytest.raises(ArchiveError, match="more than"):
        victim.unpack([entry(f"{number}", b"") for number in range(11)], budget=Budget(100, 10))
    with pytest.raises(ArchiveError, match="more than"):
        victim.unpack([entry("a/" * 20 + "f", b"")], budget=Budget(100, 10))


def test_sizes_that_lie(victim: Victim) -> None:
    """An entry of 2^60 bytes that has ten."""
    info, _ = entry("huge")
    info.size = 1 << 60
    head = info.tobuf(tarfile.PAX_FORMAT)
    with pytest.raises(ArchiveError):
        victim.unpack(head + bytes(10), budget=Budget(1 << 62, 10))


def test_nesting_is_bounded(victim: Victim) -> None:
    """Links make it deeper than any name; what was made can be removed again."""
    deep = "d/" * 300
    with pytest.raises(ArchiveError, match=str(DEEPEST)):
        victim.unpack([directory(deep), symlink("s", deep), entry(f"s/{deep}/f", b"")])
    victim.unpack([entry(".wh.d")])
    assert victim.names() == ["s"]


def test_an_ordinary_user_can_read_what_he_unpacked(victim: Victim) -> None:
    """Whoever unpacks owns it all, so a mode must not lock him out."""
    victim.unpack(
        [directory("d", mode=0), entry("d/f", b"x", mode=0), entry("g", b"", mode=0o4711)]
    )
    kept = 0 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE((victim.root / "d").stat().st_mode) == kept
    (victim.root / "d").chmod(0o700)


# -- whiteouts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "d/.wh..."])
def test_whiteouts_of_nothing(victim: Victim, name: str) -> None:
    """`.wh.` and a dot or two would be the directory itself, or the one above."""
    with pytest.raises(ArchiveError):
        victim.unpack([directory("d"), entry("d/f", b"")], [entry(name)])


def test_whiteouts_do_not_follow_links(victim: Victim) -> None:
    victim.unpack(
        [symlink("out", "../outside"), symlink("secret", "../outside/secret")],
        [entry("out/.wh.secret"), entry("out/.wh..wh..opq"), entry(".wh.secret")],
    )
    assert victim.names() == ["out"]


def test_whiteouts_hide_lower_layers_only(victim: Victim) -> None:
    """In whatever order a layer has them."""
    lower = [
        directory("d"), entry("d/old", b""), directory("d/sub"), entry("d/sub/old", b""),
        entry("f", b"old"), directory("gone"), entry("gone/x", b""),
    ]  # fmt: skip
    upper = [
        directory("d"), entry("d/new", b""), directory("d/sub"), entry("d/sub/new", b""),
        entry("d/.wh..wh..opq"), entry("f", b"new"), entry(".wh.f"), entry(".wh.gone"),
        entry(".wh.never"), entry("nowhere/.wh.x"), entry(".wh..wh.plnk"),
    ]  # fmt: skip
    for place, second in (("one", upper), ("two", upper[::-1])):
        (victim.path.parent / place).mkdir()
        fresh = Victim(victim.path.parent / place)
        fresh.unpack(lower, second)
        assert fresh.names() == ["d", "d/new", "d/sub", "d/sub/new", "f"]
        assert (fresh.root / "f").read_bytes() == b"new"


# -- whatever comes ----------------------------------------------------------------------------

NAMES = st.sampled_from(
    ["a", "b", "a/b", "b/a", "a/b/c", "..", "../x", "a/../b", "/a", "/", ".", "", "a//b", ".wh.a",
     "a/.wh.b", "a/.wh..wh..opq", ".wh..wh..opq", ".wh...", "../outside/secret", "a/secret"]
)  # fmt: skip
TARGETS = st.sampled_from(
    [
        "a",
        "b",
        "..",
        "../outside",
        "../outside/secret",
        "/",
        "/a",
        "a/b",
        ".",
        "../../..",
        "b/secret",
    ]
)
ENTRIES = st.one_of(
    st.builds(entry, NAMES, st.binary(max_size=20), mode=st.integers(0, 0o7777)),
    st.builds(directory, NAMES, mode=st.integers(0, 0o7777)),
    st.builds(symlink, NAMES, TARGETS),
    st.builds(hard_link, NAMES, TARGETS),
    st.builds(entry, NAMES, kind=st.sampled_from([tarfile.FIFOTYPE, tarfile.CHRTYPE])),
)


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(layers=st.lists(st.lists(ENTRIES, max_size=8), max_size=3))
def test_any_archive_stays_inside(
    tmp_path_factory: pytest.TempPathFactory, layers: list[list[Entry]]
) -> None:
    """Any entries in any order: unpacked, or an ArchiveError; outside all is as before."""
    victim = Victim(tmp_path_factory.mktemp("place"))
    try:
        victim.unpack(*layers)
    except ArchiveError:
        victim.check()


@settings(max_examples=150, deadline=None)
@given(
    layer=st.lists(ENTRIES, min_size=1, max_size=3).map(archive),
    changes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, 5000),
)
def test_damaged_archives_stay_inside(
    tmp_path_factory: pytest.TempPathFactory,
    layer: bytes,
    changes: list[tuple[int, int]],
    cut: int,
) -> None:
    """Bytes changed, the end cut off."""
    data = bytearray(layer)
    for place, byte in changes:
        data[place % len(data)] = byte
    victim = Victim(tmp_path_factory.mktemp("place"))
    try:
        victim.unpack(bytes(data[: len(data) - cut]))
    except ArchiveError:
        victim.check()
