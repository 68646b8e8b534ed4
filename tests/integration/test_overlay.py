"""`--overlay2`: where what a container writes goes, and that its files stay as they were."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.containers import BUSYBOX, Engine
from harness.gofer import serving
from runsc_py.gofer.process import MountSpec

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

MEGABYTE = 1 << 20
#: writes a megabyte into the root, the volume, and as a mapping's file; prints what it reads back
SCRIPT = """
busybox dd if=/dev/zero of=/big bs=1024 count=1024 2>/dev/null
busybox dd if=/dev/zero of=/volume/big bs=1024 count=1024 2>/dev/null
echo more >>/volume/there
busybox mkdir /b; busybox cp /bin/busybox /b/busybox && /b/busybox cat /volume/there
busybox sync
busybox wc -c </big
"""


def listing(folder: Path) -> dict[str, int]:
    """Names below a directory, and the sizes of files."""
    return {
        str(path.relative_to(folder)): path.stat().st_size if path.is_file() else -1
        for path in folder.rglob("*")
        if not path.is_symlink()
    }


def with_volume(volume: Path) -> Any:
    """A change of config.json: the volume, and a root that can be written to."""

    def change(document: Any) -> None:
        document["root"]["readonly"] = False
        document["mounts"].append(
            {"destination": "/volume", "type": "bind", "source": str(volume), "options": ["bind"]}
        )

    return change


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A directory with a file."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "there").write_text("before\n")
    return volume


@pytest.mark.parametrize("medium", ["memory", "self", "dir="])
@pytest.mark.parametrize("mounts", ["root", "all"])
def test_media(engine: Engine, volume: Path, mounts: str, medium: str) -> None:
    """The same is seen inside; the root stays as it was, and a volume when all mounts are meant."""
    store = engine.folder / "store"
    store.mkdir()
    (store / "of others").write_text("")
    if medium == "dir=":
        medium += str(store)
    engine.options = ["--overlay2", f"{mounts}:{medium}"]
    bundle = engine.bundle("/bin/sh", "-c", SCRIPT, change=with_volume(volume))
    before = listing(bundle)
    done = engine("run", "--bundle", bundle, "a")
    assert (done.returncode, done.stdout) == (0, f"before\nmore\n{MEGABYTE}\n"), done.stderr
    assert {name for name in listing(bundle) if name not in before} <= {"rootfs/volume"}
    assert listing(store) == {"of others": 0}
    changed = {"there": 12, "big": MEGABYTE} if mounts == "root" else {"there": 7}
    assert listing(volume) == changed


def test_content_is_on_the_disk(engine: Engine, volume: Path) -> None:
    """Not in memory, and the sandbox's limit of memory does not count it."""
    script = "busybox dd if=/dev/zero of=/big bs=1024k count=40 2>/dev/null; echo >/done; "
    script += "exec busybox sleep 600"

    def change(document: Any) -> None:
        with_volume(volume)(document)
        document["linux"]["resources"] = {"memory": {"limit": 24 * MEGABYTE}}

    engine.options = ["--overlay2", "root:self", "--ignore-cgroups"]
    bundle = engine.bundle("/bin/sh", "-c", script, change=change)
    assert engine("create", "--bundle", bundle, "a").returncode == 0
    assert engine("start", "a").returncode == 0
    while engine("read", "a", "/done").returncode:
        assert engine.status("a") == "running"
    assert json.loads(engine("usage", "a").stdout)["Tmpfs"] < MEGABYTE
    assert engine("delete", "--force", "a").returncode == 0
    assert set(os.listdir(bundle)) == {"rootfs", "config.json"}
    engine.options[1] = "root:memory"
    assert engine("run", "--bundle", bundle, "a").returncode == 137


@pytest.mark.parametrize("medium", ["memory", "self"])
def test_size(engine: Engine, volume: Path, medium: str) -> None:
    """A full layer is a full disk."""
    engine.options = ["--overlay2", f"all:{medium},size=512k"]
    script = "busybox dd if=/dev/zero of=/big bs=1024 count=1024 2>&1; busybox wc -c </big"
    bundle = engine.bundle("/bin/sh", "-c", script, change=with_volume(volume))
    done = engine("run", "--bundle", bundle, "a")
    assert "No space left on device" in done.stdout
    assert done.stdout.splitlines()[-1] == str(512 << 10)


@pytest.mark.parametrize(
    ("directory", "reason"), [("/nowhere", "No such file"), ("/proc", "denied")]
)
def test_no_store(engine: Engine, directory: str, reason: str) -> None:
    """Said before anything runs, with what to do."""
    engine.options = ["--overlay2", f"root:dir={directory}"]
    done = engine(
        "create", "--bundle", engine.bundle("/bin/sh", change=with_volume(Path("/"))), "a"
    )
    assert done.returncode == 125 and reason in done.stderr
    assert (
        f"--overlay2=root:dir={directory}" in done.stderr and "use --overlay2=root" in done.stderr
    )


def test_bundle_asks_for_it(engine: Engine, volume: Path) -> None:
    """A bundle's author may have memory or its own directory, and no directory of the host's."""
    for value, status in (("all:self", 0), ("root:memory", 0), ("all:dir=/var/tmp", 125)):

        def change(document: Any, value: str = value) -> None:
            with_volume(volume)(document)
            document["annotations"] = {"dev.gvisor.flag.overlay2": value}

        bundle = engine.bundle("/bin/sh", "-c", "echo 1 >/new", change=change)
        assert engine("run", "--bundle", bundle, "a").returncode == status
        assert not (bundle / "rootfs" / "new").exists()


def test_store_shows_nothing(tmp_path: Path) -> None:
    """A client that is not ours has files without names there, and neither names nor files."""
    (tmp_path / "secret").write_text("of others")
    with serving(MountSpec(str(tmp_path), is_store=True)) as served:
        client, root = served.client, served.root
        assert client.walk(root, [b"secret"])[0] == []
        assert client.read_directory(root) == []
        for refused in (
            lambda: client.open(root, os.O_RDONLY),
            lambda: client.create(root, b"new", 0o644, os.O_RDWR),
            lambda: client.mkdir(root, b"new", 0o755),
            lambda: client.unlink(root, b"secret"),
            lambda: client.rename(root, b"secret", root, b"other"),
            lambda: client.symlink(root, b"new", b"/"),
            lambda: client.setxattr(root, b"user.a", b"1"),
        ):
            with pytest.raises(OSError, match=r"Read-only|directory"):
                refused()
        node, _, descriptor = client.create_unnamed(root, 0o666, os.O_RDWR)
        os.write(descriptor, b"mine")
        with pytest.raises(OSError, match="Read-only"):
            client.link(node, root, b"new")
        os.close(descriptor)
    assert os.listdir(tmp_path) == ["secret"]
