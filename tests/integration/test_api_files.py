"""Files of the Python API: names, trees in both directions, and what is refused."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from runsc_py.runsc import RunscError, Sandbox


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    """One for all; each test has a directory of its own."""
    with Sandbox() as made:
        yield made


def test_names(box: Sandbox) -> None:
    """Looked at, made, moved, removed."""
    files = box.files
    files.make_directory("/names/deep/er", mode=0o750)
    files.make_directory("/names/deep/er")
    assert stat.S_IMODE(files.stat("/names/deep/er").mode) == 0o750
    files.write("/names/file", "text", mode=0o640)
    box.run("ln -s file /names/link; ln -s nowhere /names/broken; chown 12:34 /names/file")
    listed = {one.name: one for one in files.list("/names")}
    assert sorted(listed) == ["broken", "deep", "file", "link"] == [*listed]
    one = listed["file"]
    assert (one.is_file, one.size, one.uid, one.gid) == (True, 4, 12, 34)
    assert listed["link"].is_symlink and listed["link"].target == "file"
    assert listed["deep"].is_directory and one.modified > 1_600_000_000
    assert files.stat("/names/link").is_file and files.stat("/names/link", follow=False).is_symlink
    assert files.exists("/names/link") and not files.exists("/names/broken")
    assert not files.exists("/names/file/below")
    files.rename("/names/file", "/names/deep/moved")
    assert files.read_text("/names/deep/moved") == "text"
    with pytest.raises(OSError, match="not empty"):
        files.remove("/names")
    files.remove("/names", recursive=True)
    with pytest.raises(FileNotFoundError):
        files.list("/names")
    with pytest.raises(FileNotFoundError):
        files.remove("/names")


def test_a_large_directory_comes_in_pages(box: Sandbox) -> None:
    """Whatever the names are."""
    box.run(["python3", "-c", "import os\nos.mkdir('/many')\nos.chdir('/many')\n"
             "for i in range(6000): os.close(os.open(b'\\xff%d' % i, os.O_CREAT))"])  # fmt: skip
    assert len({one.name for one in box.files.list("/many")}) == 6000
    name = box.files.list("/many")[0].name
    assert box.files.read(f"/many/{name}") == b""


@pytest.mark.parametrize("path", ["relative", "", "/null\0", "/" + "x" * 300, "/x" * 3000])
def test_wrong_names(box: Sandbox, path: str) -> None:
    """An error each, and the sandbox goes on."""
    files = box.files
    for call in (files.stat, files.list, files.remove, files.make_directory, files.read):
        with pytest.raises((OSError, RunscError)):
            call(path)
    with pytest.raises((OSError, RunscError)):
        files.rename("/etc/passwd", path)
    with pytest.raises((OSError, RunscError)):
        files.write(path, "")
    assert box.run("true").ok


def test_trees(box: Sandbox, tmp_path: Path) -> None:
    """In and out again: contents, modes, links."""
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "run").write_bytes(os.urandom(300_000))
    (tree / "sub" / "run").chmod(0o4755)
    (tree / "empty").write_bytes(b"")
    (tree / "link").symlink_to("/etc/passwd")
    box.files.upload(tree, "/tree")
    assert box.run("stat -c %a /tree/sub/run; readlink /tree/link").text == "755\n/etc/passwd\n"
    box.run("mkfifo /tree/fifo; chmod u+s /tree/sub/run")
    box.files.download("/tree", tmp_path / "back")
    assert sorted(os.listdir(tmp_path / "back")) == ["empty", "link", "sub"]
    copy = tmp_path / "back" / "sub" / "run"
    assert copy.read_bytes() == (tree / "sub" / "run").read_bytes()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o755
    assert (tmp_path / "back" / "link").readlink() == Path("/etc/passwd")
    box.files.download("/tree/empty", tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == b""
    with pytest.raises(FileExistsError):
        box.files.download("/tree", tmp_path / "back")
    os.mkfifo(tree / "fifo")
    with pytest.raises(RunscError, match="neither a file nor a directory"):
        box.files.upload(tree, "/again")


def test_links_inside_lead_nowhere_else(box: Sandbox, tmp_path: Path) -> None:
    """A name that a program makes lead to the host's files leads to its own."""
    (tmp_path / "secret").write_text("of the host")
    box.files.write("/in/passwd", "of the sandbox")
    box.run(f"ln -s /in /links; ln -s {tmp_path} /host")
    assert box.files.read_text("/links/passwd") == "of the sandbox"
    assert box.files.read_text("/host/secret") == "of the host"
    box.files.write("/host/secret", "changed")
    assert (tmp_path / "secret").read_text() == "of the host"
