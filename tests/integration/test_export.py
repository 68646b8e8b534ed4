"""`run --export`, `run --diff` and `runsc-py diff`: what a program changed, handed back."""

import json
import os
import shutil
import signal
import stat
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from harness.differential import Inside, environment
from harness.images import busybox_layer, oci_layout
from harness.live import eventually
from harness.processes import Finished, run
from harness.programs import PYTHON
from harness.sandbox import EXECUTABLE, command

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root for files of other owners")

#: every kind of change; times are set, so that two runs come to the same
SCRIPT = """
set -e
umask 022
rm gone; rm -r tree/sub; rmdir empty
echo more >> changed; chmod 4711 changed
echo new > new; ln new hard; ln -s '../no where' link; mkfifo -m 640 fifo
mkdir -p deep/er/est; echo deep > deep/er/est/file; chmod 700 deep/er
mv moved elsewhere
rm -r replaced; mkdir replaced; echo only > replaced/inside
rm turned; mkdir turned; touch turned/file
truncate -s 3M sparse; printf tail >> sparse
head -c 300000 /dev/zero | tr '\\0' x > large
printf 'odd' > "$(printf 'n\\377\\n\\303\\266')"
: > .empty; ln changed second
long=$(printf 'l%.0s' $(seq 150)); mkdir -p "$long/$long"; echo long > "$long/$long/$long"
find . -exec touch -h -d '2020-02-03 04:05:06.123456789Z' {} +
"""


def prepare(place: Path) -> None:
    """What the script starts from."""
    (place / "tree" / "sub").mkdir(parents=True)
    (place / "tree" / "sub" / "f").write_text("f")
    (place / "tree" / "kept").write_text("kept")
    (place / "moved" / "below").mkdir(parents=True)
    (place / "moved" / "below" / "f").write_bytes(b"moved" * 50_000)
    (place / "replaced").mkdir()
    (place / "empty").mkdir()
    for name in ("gone", "changed", "untouched", "turned", "replaced/old"):
        (place / name).write_text(name)
    os.symlink("untouched", place / "replaced" / "lnk")


def look(place: Path) -> dict[str, tuple[Any, ...]]:
    """All that is to be the same, of everything below."""
    found: dict[str, tuple[Any, ...]] = {}
    names: dict[int, list[str]] = {}
    for directory, directories, files in os.walk(place):
        for name in directories + files:
            path = os.path.join(directory, name)
            short = os.path.relpath(path, place)
            status = os.lstat(path)
            content: Any = None
            if stat.S_ISREG(status.st_mode):
                content = Path(path).read_bytes()
                names.setdefault(status.st_ino, []).append(short)
            elif stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            found[short] = (oct(status.st_mode), status.st_uid, status.st_mtime_ns, content)
    found["links"] = tuple(sorted(tuple(sorted(group)) for group in names.values()))
    return found


def diff(place: Path, *options: str) -> Finished:
    """`runsc-py diff`"""
    return run([EXECUTABLE, "diff", *options, str(place)], cwd=Path("/"), timeout=60)


def entries(place: Path) -> dict[str, dict[str, Any]]:
    """The list of an export by path."""
    changes = json.loads(diff(place, "--json").stdout)["changes"]
    return {change["path"]: change for change in changes}


def apply(export: Path, place: Path, base: Path) -> None:
    """Do to `base` what the program did to `place`."""
    files = export / "files" / place.relative_to("/")
    listed = entries(export)
    inside = {path: change for path, change in listed.items() if path.startswith(f"{place}/")}
    for path, change in inside.items():
        here = base / os.path.relpath(path, place)
        new = files / os.path.relpath(path, place)
        is_directory = here.is_dir() and not here.is_symlink()
        if change["kind"] == "D" or (is_directory != new.is_dir() and os.path.lexists(here)):
            shutil.rmtree(here) if is_directory else here.unlink()
    words = ["cp", "-a", "--remove-destination", f"{files}/.", str(base)]
    subprocess.run(words, check=True)
    # cp leaves times of directories that were there as they were set by its own writing.
    for path, change in sorted(inside.items(), reverse=True):
        if change.get("type") == "directory":
            time = change["mtime_ns"]
            os.utime(base / os.path.relpath(path, place), ns=(time, time))


def test_round_trip(tmp_path: Path, workplace: Path, inside: Inside) -> None:
    """What came back, applied to what was there, is what the program does natively."""
    native, again, export = (tmp_path / name for name in ("native", "again", "export"))
    for place in (native, again):
        place.mkdir()
        prepare(place)
    subprocess.run(["sh", "-c", SCRIPT], cwd=native, check=True, env=environment())
    options = ["--export", str(export)]
    done = inside(["sh", "-c", SCRIPT], options=options, prepare=prepare)
    assert (done.status, done.stderr) == (0, b"")
    apply(export, workplace, again)
    expected, found = look(native), look(again)
    if os.geteuid() != 0:
        # The owner may read what is his.
        expected["changed"] = expected["second"] = ("0o104711", *expected["changed"][1:])
    assert found == expected
    sparse = again / "sparse"
    assert sparse.stat().st_blocks * 512 < 1 << 20, "holes stay holes"


def test_kinds(workplace: Path, tmp_path: Path, inside: Inside) -> None:
    """A, C and D, as docker(1) diff has them; the same by --diff, in an archive, in a directory."""
    expected = []
    lists = []
    for name in ("export", "export.tar", "export.tar.gz"):
        export = tmp_path / name
        options = ["--export", str(export), f"--diff={tmp_path / 'list'}"]
        inside(["sh", "-c", SCRIPT], options=options, prepare=prepare)
        lists += [diff(export).stdout, (tmp_path / "list").read_bytes()]
    assert len(set(lists)) == 1
    where = {
        line[2:].removeprefix(f"{workplace}/"): line[0] for line in lists[0].decode().splitlines()
    }
    expected = {
        "gone": "D", "tree": "C", "tree/sub": "D", "changed": "C", "new": "A", "empty": "D",
        "moved": "D", "elsewhere": "A", "elsewhere/below": "A", "elsewhere/below/f": "A",
        "replaced": "C", "replaced/old": "D", "replaced/lnk": "D", "replaced/inside": "A",
        "turned": "C", "turned/file": "A", "n\\udcff\\nö": "A",
    }  # fmt: skip
    assert {path: where.get(path) for path in expected} == expected
    # touch(1) changed the time of everything else, the directory itself included.
    assert where[str(workplace)] == where["untouched"] == "C"


def test_gnu_tar_reads_it(tmp_path: Path, workplace: Path, inside: Inside) -> None:
    """Without a complaint; names that went are whiteouts, as in a layer of an image."""
    export = tmp_path / "export.tar"
    inside(["sh", "-c", SCRIPT], options=["--export", str(export)], prepare=prepare)
    (tmp_path / "out").mkdir()
    words = ["tar", "-xpf", str(export), "-C", str(tmp_path / "out"), "--warning=all"]
    done = subprocess.run(words, capture_output=True, check=True)
    assert done.stderr == b""
    place = tmp_path / "out" / workplace.relative_to("/")
    assert (place / ".wh.gone").stat().st_size == 0
    assert (place / "sparse").stat().st_size == 3 * (1 << 20) + 4
    assert (place / "sparse").read_bytes()[-5:] == b"\0tail"
    assert (place / "deep/er/est/file").stat().st_mtime_ns == 1_580_702_706_123_456_789


@needs_root
def test_owners_attributes_and_devices(tmp_path: Path, inside: Inside) -> None:
    """Numbers of owners, extended attributes, ACLs; devices are listed and not made."""
    script = f"""
cd /opt && mkdir owned && touch owned/f && chown 1234:70000 owned owned/f && chmod 2770 owned
ln -s x owned/l && chown -h 5:6 owned/l
mknod owned/null c 1 3 && mknod owned/disk b 253 7
{PYTHON} - <<'END'
import os
os.setxattr("owned/f", "user.name", b"\\0\\xffvalue")
os.setxattr("owned", "user.dir", b"1")
END
"""
    export, tar = tmp_path / "export", tmp_path / "export.tar"
    for target in (export, tar):
        done = inside(["sh", "-c", script], options=["--export", str(target)])
        assert (done.status, done.stderr) == (0, b"")
    owned = export / "files" / "opt" / "owned"
    status = owned.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (1234, 70000, 0o2770)
    assert (owned / "l").lstat().st_uid == 5
    assert os.getxattr(owned / "f", "user.name") == b"\0\xffvalue"
    assert os.getxattr(owned, "user.dir") == b"1"
    assert sorted(os.listdir(owned)) == ["f", "l"]
    for listed in (entries(export), entries(tar)):
        assert listed["/opt/owned/null"]["device"] == [1, 3]
        assert listed["/opt/owned/disk"] | {"mtime_ns": 0} == {
            "kind": "A", "path": "/opt/owned/disk", "type": "block-device", "mode": "0644",
            "uid": 0, "gid": 70000, "mtime_ns": 0, "device": [253, 7],
        }  # fmt: skip
        assert listed["/opt/owned/f"]["xattrs"] == ["user.name"]
    with tarfile.open(tar) as archive:
        null = archive.getmember("opt/owned/null")
        assert (null.type, null.devmajor, null.devminor) == (tarfile.CHRTYPE, 1, 3)


@pytest.mark.slow
def test_large_sparse_file(tmp_path: Path, workplace: Path, inside: Inside) -> None:
    """More than 4 GiB, nearly all of it holes, is little in an archive and on the disk."""
    script = "truncate -s 20G big && printf end >> big"
    for name in ("export.tar", "export"):
        inside(["sh", "-c", script], options=["--export", str(tmp_path / name)])
    assert (tmp_path / "export.tar").stat().st_size < 100_000
    big = tmp_path / "export" / "files" / workplace.relative_to("/") / "big"
    assert big.stat().st_size == 20 * (1 << 30) + 3
    assert big.stat().st_blocks * 512 < 1 << 20
    with big.open("rb") as file:
        file.seek(20 << 30)
        assert file.read() == b"end"


def test_an_archive_is_a_layer(tmp_path: Path, inside: Inside) -> None:
    """What one run of an image changed, put on top of it, is what the next run finds."""
    lower = busybox_layer()
    image = oci_layout(tmp_path / "image", [lower])
    env = {"RUNSC_PY_CACHE": str(tmp_path / "cache")}
    tar = tmp_path / "layer.tar"
    script = "echo new > /etc/new; rm /etc/group; echo x > /tmp/x; rm -r /root; mkdir /root"
    inside(["sh", "-c", script], options=["--image", str(image), "--export", str(tar)], env=env)
    upper = oci_layout(tmp_path / "upper", [lower, tar.read_bytes()])
    done = inside(
        ["sh", "-c", "ls /etc /tmp; cat /etc/new"], options=["--image", str(upper)], env=env
    )
    assert done.text == "/etc:\nnew\npasswd\n\n/tmp:\nx\nnew\n"


def test_mount_points_are_not_the_programs(tmp_path: Path, inside: Inside) -> None:
    """What we made ourselves is left out, and what is on other file systems."""
    volume = tmp_path / "volume"
    volume.mkdir()
    options = ["-v", f"{volume}:/srv/new/volume:rw", "--tmpfs", "/srv/memory"]
    script = "touch /srv/new/volume/a /srv/memory/b"
    export = tmp_path / "export"
    done = inside(["sh", "-c", script], options=["--export", str(export), *options])
    assert done.status == 0
    assert entries(export) == {}
    done = inside(["touch", "/srv/new/c"], options=["--diff", "--result", "-", *options])
    assert done.stderr == b"A /srv/new\nA /srv/new/c\n"
    assert json.loads(done.stdout)["files_changed"] == 2


def test_sockets_are_left_out(tmp_path: Path, workplace: Path, inside: Inside) -> None:
    """And names that would be whiteouts in a layer; it is said so."""
    script = "import socket; socket.socket(socket.AF_UNIX).bind('sock'); open('.wh.evil', 'w')"
    options = ["--export", str(tmp_path / "export.tar"), f"--diff={tmp_path / 'list'}"]
    done = inside([PYTHON, "-c", script], options=options)
    assert done.status == 0
    assert done.stderr.count(b"has no place in an archive") == 2
    assert max(entries(tmp_path / "export.tar")) == str(workplace), "and the directories above it"
    listed = (tmp_path / "list").read_text().splitlines()
    assert {f"A {workplace}/sock", f"A {workplace}/.wh.evil"} <= set(listed)


# -- how it ends -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "script", "status"),
    [
        ([], "echo x > file; exit 3", 3),
        ([], "echo x > file; kill -9 $$", 137),
        (["--wall", "2"], "echo x > file; sleep 100", 124),
        (["--cpu", "1"], "echo x > file; while :; do :; done", 124),
    ],
    ids=["failure", "signal", "wall", "cpu"],
)
def test_failure_and_limits(
    options: list[str],
    script: str,
    status: int,
    tmp_path: Path,
    workplace: Path,
    inside: Inside,
) -> None:
    """However the program ends, what it did is there."""
    done = inside(["sh", "-c", script], options=["--export", str(tmp_path / "e"), *options])
    assert done.status == status
    place = tmp_path / "e" / "files" / workplace.relative_to("/")
    assert (place / "file").read_text() == "x\n"


def test_a_program_that_cannot_be_run(tmp_path: Path, inside: Inside) -> None:
    """Nothing was run, so there is nothing."""
    done = inside(["/nonexistent"], options=["--export", str(tmp_path / "e")])
    assert done.status == 127
    assert not (tmp_path / "e").exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("full", "it is not empty"),
        ("file", "it is a file"),
        ("absent/e", "there is no directory"),
        ("absent/e.tar", "there is no directory"),
        ("fifo.tar", "no file"),
        ("/", "the root directory"),
    ],
)
def test_targets_that_cannot_be(name: str, why: str, tmp_path: Path, inside: Inside) -> None:
    """It is said before the program starts."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo.tar")
    done = inside(["echo", "ran"], options=["--export", str(tmp_path / name)])
    assert (done.status, done.stdout) == (125, b"")
    assert why in done.stderr.decode()


def test_targets_that_are_there(tmp_path: Path, inside: Inside) -> None:
    """An empty directory is filled, an archive replaced, both at once."""
    (tmp_path / "e").mkdir()
    (tmp_path / "e.tar").write_text("old")
    for name in ("e", "e.tar"):
        done = inside(["touch", "new"], options=["--export", str(tmp_path / name)])
        assert (done.status, done.stderr) == (0, b"")
        assert any(path.endswith("/new") for path in entries(tmp_path / name))
    assert stat.S_IMODE((tmp_path / "e").stat().st_mode) == 0o700, "set-id files may be in it"


def test_no_room(tmp_path: Path) -> None:
    """An export that fails is said to have failed, and nothing of it is left."""
    script = 'x=$(printf %2000s); for i in $(seq 2000); do echo "$x" > /tmp/file$i; done'
    # A module that changed is compiled, and its cached form would be cut off too, for good.
    unwritten = {"PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("e", "e.tar"):
        words = command(
            ["sh", "-c", script], ["--export", f"out/{name}", "--result", str(tmp_path / "result")]
        )
        (tmp_path / "out").mkdir(exist_ok=True)
        # No file may have more than 2 KiB, or 1 MiB, which an archive of all of them has.
        blocks = {"e": 2, "e.tar": 1024}[name]
        limited = ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "bash", *words]
        done = run(limited, cwd=tmp_path, env=environment(unwritten), timeout=100)
        assert done.status == 125
        assert b"--export out/" in done.stderr and b"File too large" in done.stderr
        assert os.listdir(tmp_path / "out") == []
        if name == "e.tar":
            record = json.loads((tmp_path / "result").read_text())
            assert (record["reason"], record["exit_status"]) == ("exited", 125)
            assert "File too large" in record["export_error"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["e", "e.tar"])
def test_killed_while_exporting(name: str, tmp_path: Path) -> None:
    """Nothing half-written is left, even when we are killed."""
    script = "mkdir /tmp/many; cd /tmp/many; for i in $(seq 3000); do : > $i; done"
    (tmp_path / "out").mkdir()
    process = subprocess.Popen(
        command(["sh", "-c", script], ["--export", f"out/{name}"]),
        cwd=tmp_path,
        env=environment(),
        start_new_session=True,
    )

    def begun() -> bool:
        return bool(os.listdir(tmp_path / "out")) or process.poll() is not None

    eventually("the export begins", begun, 100)
    os.kill(process.pid, signal.SIGKILL)
    if process.wait(timeout=60) == 0:
        return  # it was quicker than we were
    eventually(
        "nothing is left, or all of it",
        lambda: not [left for left in os.listdir(tmp_path / "out") if left != name],
        60,
    )
    if os.listdir(tmp_path / "out"):
        assert len(entries(tmp_path / "out" / name)) > 3000


# -- diff --------------------------------------------------------------------------------------


def test_diff_of_what_is_none(tmp_path: Path) -> None:
    """One line says so."""
    (tmp_path / "text.tar").write_text("no archive" * 100)
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "changes.json").write_text('{"changes": [1]}')
    for name in ("text.tar", "e", "absent"):
        done = diff(tmp_path / name)
        assert done.status == 125
        assert done.stderr.startswith(b"runsc-py: diff ") and b"internal" not in done.stderr
    assert run([EXECUTABLE, "diff"], cwd=tmp_path, timeout=60).status == 125
