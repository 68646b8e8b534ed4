"""What one container changed in its root is what another one begins with, by annotation."""

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from harness.containers import BUSYBOX, Engine
from harness.live import eventually

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

FIRST = """
busybox mkdir -p /a/b; echo one >/a/b/f; busybox ln -s f /a/b/l; busybox ln /a/b/f /a/b/h
busybox chown 5:6 /a/b/f; busybox chmod 4755 /a/b/f; busybox touch -d @1000 /a/b/f
busybox mkfifo /fifo; busybox truncate -s 1M /sparse; busybox rm /bin/sh
echo >/done; exec busybox sleep 600
"""
SECOND = """
busybox stat -c '%n %F %a %u:%g %Y %s' /a/b/f /a/b/l /fifo /sparse; busybox cat /a/b/l
busybox stat -c %h /a/b/h; busybox ls /bin; busybox ls /old
"""
EXPECTED = """\
/a/b/f regular file 4755 5:6 1000 4
/a/b/l symbolic link 777 0:0
/fifo fifo 644 0:0
/sparse regular file 644 0:0
one
2
busybox
"""


def writable(annotation: Path | None) -> Any:
    """A change of config.json."""

    def change(document: Any) -> None:
        document["root"]["readonly"] = False
        for kind in ("bounding", "effective", "permitted"):
            document["process"]["capabilities"][kind] = ["CAP_CHOWN", "CAP_FOWNER", "CAP_FSETID"]
        if annotation is not None:
            document["annotations"] = {"dev.gvisor.tar.rootfs.upper": str(annotation)}

    return change


def test_there_and_back(engine: Engine) -> None:
    """`tar rootfs-upper` of one container, the annotation of the next; whiteouts too."""
    engine.options = ["--overlay2", "root:memory", "--allow-rootfs-tar-annotation"]
    archive = engine.folder / "upper.tar"
    bundle = engine.bundle("/bin/busybox", "sh", "-c", FIRST, change=writable(None))
    assert engine("create", "--bundle", bundle, "a").returncode == 0
    assert engine("start", "a").returncode == 0
    eventually("it is made", lambda: engine("read", "a", "/done").returncode == 0)
    assert engine("tar", "rootfs-upper", "--file", archive, "a").returncode == 0
    bundle = engine.bundle("/bin/busybox", "sh", "-c", SECOND, change=writable(archive))
    done = engine("run", "--bundle", bundle, "b")
    shown = [line.rsplit(" ", 2)[0] if ":" in line else line for line in done.stdout.splitlines()]
    wanted = [line.rsplit(" ", 2)[0] if "1000" in line else line for line in EXPECTED.splitlines()]
    assert shown == wanted
    assert " 1000 4" in done.stdout and "/sparse regular file 644 0:0 " in done.stdout
    assert not (bundle / "rootfs" / "a").exists()


def crafted(path: Path, *members: tuple[str, bytes, str]) -> Path:
    """An archive of names, types and link targets; files have their name as content."""
    with tarfile.open(path, "w") as archive:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            content = name.encode() if kind == tarfile.REGTYPE else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_names_lead_nowhere(engine: Engine) -> None:
    """Links of the archive are the container's; `..` is refused; the host sees nothing."""
    engine.options = ["--overlay2", "root:memory", "--allow-rootfs-tar-annotation"]
    outside = engine.folder / "outside"
    outside.mkdir()
    archive = crafted(
        engine.folder / "links.tar",
        ("out", tarfile.SYMTYPE, str(outside)),
        ("up", tarfile.SYMTYPE, "../../../../../../../../tmp"),
        ("/absolute", tarfile.REGTYPE, ""),
    )
    bundle = engine.bundle("/bin/sh", "-c", "busybox cat /absolute", change=writable(archive))
    assert engine("run", "--bundle", bundle, "a").stdout == "/absolute"
    for index, member in enumerate(
        (("../x", tarfile.REGTYPE, ""), ("x", tarfile.LNKTYPE, "../../etc/passwd"))
    ):
        archive = crafted(engine.folder / f"{index}.tar", member)
        bundle = engine.bundle("/bin/sh", change=writable(archive))
        done = engine("create", "--bundle", bundle, "b")
        assert done.returncode == 125 and "climbs with '..'" in done.stderr
    assert not list(outside.iterdir())


def test_refusals(engine: Engine) -> None:
    """Without the option, without an upper layer, without the file, and what is no archive."""
    archive = crafted(engine.folder / "x.tar", ("f", tarfile.REGTYPE, ""))
    damaged = engine.folder / "damaged.tar"
    damaged.write_bytes(b"x" * 2048)
    allowed = ["--allow-rootfs-tar-annotation"]
    memory = ["--overlay2", "root:memory"]
    for options, path, message in (
        (memory, archive, "use --allow-rootfs-tar-annotation"),
        (allowed, archive, "use --overlay2=root:memory"),
        (allowed + memory, Path("/nowhere"), "/nowhere: No such file"),
        (allowed + memory, damaged, "archive of the root's upper layer"),
    ):
        engine.options = options
        bundle = engine.bundle("/bin/sh", change=writable(path))
        done = engine("create", "--bundle", bundle, "a")
        assert done.returncode == 125 and message in done.stderr, done.stderr
