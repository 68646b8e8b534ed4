"""`runsc-py run --image`: images in every form, what they say about themselves, and the cache."""

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from harness import images
from harness.differential import Inside, environment
from harness.images import (
    Layout,
    archive,
    busybox_layer,
    directory,
    docker_archive,
    entry,
    new_docker_archive,
    oci_layout,
)
from harness.live import Live, eventually
from harness.outcome import Outcome
from harness.processes import Finished, run
from harness.sandbox import EXECUTABLE, command

#: two layers: the upper one changes, adds and removes
LOWER = busybox_layer(
    directory("data"), entry("data/gone", b"x"), entry("data/kept", b"kept\n"),
    directory("opaque"), entry("opaque/below", b""),
)  # fmt: skip
UPPER = archive(
    [
        directory("data"), entry("data/.wh.gone"), entry("data/new", b"new\n"),
        directory("opaque"), entry("opaque/.wh..wh..opq"), entry("opaque/above", b""),
    ]
)  # fmt: skip
LISTING = "cd /data; ls; cat kept new; ls /opaque"
LISTED = "kept\nnew\nkept\nnew\nabove\n"

Run = Callable[..., Outcome]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An image cache of the test's own."""
    return tmp_path / "cache"


@pytest.fixture
def run_image(inside: Inside, cache: Path) -> Run:
    """Run an image."""

    def run_it(image: Path | str, *words: str, options: tuple[str, ...] = ()) -> Outcome:
        return inside(
            list(words),
            options=["--image", str(image), *options],
            env={"RUNSC_PY_CACHE": str(cache)},
        )

    return run_it


def manage(cache: Path, *words: str) -> Finished:
    """`runsc-py images …`"""
    env = environment({"RUNSC_PY_CACHE": str(cache)})
    return run([EXECUTABLE, "images", *words], cwd=Path("/"), env=env, timeout=60)


def leftovers(cache: Path) -> list[str]:
    """What is neither an image nor a name."""
    return os.listdir(cache / "unpacking")


def forms(path: Path) -> dict[str, Path]:
    """The same image in every form."""
    layers = [LOWER, UPPER]
    made = {
        "docker-archive": docker_archive(path / "old.tar", layers, "demo:1"),
        "docker-archive-new": new_docker_archive(path / "new.tar", layers, "demo:1"),
        "oci": oci_layout(path / "oci", layers, "", name="1"),
        "oci-gzip": oci_layout(path / "oci-gzip", layers, "+gzip", name="1"),
        "oci-zstd": oci_layout(path / "oci-zstd", layers, "+zstd", name="1"),
    }
    made["oci-archive"] = images.archive_of(made["oci"], path / "oci.tar")
    packed = path / "old.tar.gz"
    packed.write_bytes(gzip.compress(made["docker-archive"].read_bytes()))
    made["docker-archive-compressed"] = packed
    return made


@pytest.mark.slow
def test_every_form_is_the_same_image(tmp_path: Path, cache: Path, run_image: Run) -> None:
    """Same files, same digest: it is unpacked once, and found again in every form."""
    for image in forms(tmp_path).values():
        done = run_image(image, "sh", "-c", LISTING)
        assert (done.text, done.stderr) == (LISTED, b"")
        assert len(os.listdir(cache / "sha256")) == 1
    assert leftovers(cache) == []
    assert sorted(os.listdir(cache / "names")) == ["1", "demo:1"]


def test_archive_of_files(tmp_path: Path, run_image: Run) -> None:
    """A root file system in a tar archive, plain or compressed; whiteouts mean nothing in it."""
    plain = tmp_path / "root.tar"
    plain.write_bytes(busybox_layer(entry("etc/.wh.passwd", b"")))
    packed = tmp_path / "root.tar.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for image in (plain, packed):
        assert run_image(image, "ls", "-A", "/etc").text == ".wh.passwd\ngroup\npasswd\n"
    done = run_image(plain)
    assert (done.status, b"no command given" in done.stderr) == (125, True)


def test_directory(tmp_path: Path, cache: Path, run_image: Run) -> None:
    """A root directory is used as it is, and nothing is cached."""
    root = tmp_path / "root"
    root.mkdir()
    subprocess.run(["tar", "-x"], cwd=root, input=LOWER, check=True)
    assert run_image(root, "sh", "-c", "echo x > /data/new; ls /data").text == "gone\nkept\nnew\n"
    assert not (root / "data" / "new").exists()
    assert not cache.exists()


def test_the_host_is_not_there(tmp_path: Path, run_image: Run) -> None:
    """Nothing of the host's root; /proc, /sys and /dev are the sandbox's."""
    image = docker_archive(tmp_path / "image.tar", [LOWER])
    done = run_image(image, "sh", "-c", "ls /; cat /proc/self/mountinfo; ls /home")
    names = set(done.text.split("\n")[:11])
    assert {"bin", "data", "dev", "etc", "proc", "sys", "tmp"} <= names
    assert not {"home", "usr", "lib", "boot"} & names
    assert b"/home: No such file" in done.stderr


# -- what an image says about itself -----------------------------------------------------------

SHOW = ["/bin/sh", "-c", 'pwd; id; echo "$A $B $HOME $PATH"; echo "$0" "$@"']
CONFIGURED = {
    "Entrypoint": SHOW,
    "Cmd": ["zero", "one"],
    "Env": ["A=image", "B=image", "PATH=/bin"],
    "User": "app",
    "WorkingDir": "/not/there/yet",
}


def test_configuration_is_honoured(tmp_path: Path, run_image: Run) -> None:
    """Entrypoint, Cmd, Env, User and WorkingDir, which is made."""
    image = oci_layout(tmp_path / "image", [LOWER], **CONFIGURED)
    assert run_image(image).text == (
        "/not/there/yet\nuid=77(app) gid=88(app) groups=99(extra)\n"
        "image image /home/app /bin\nzero one\n"
    )


def test_the_command_line_comes_first(tmp_path: Path, run_image: Run) -> None:
    """COMMAND takes the place of Cmd; -w, -u and -e that of the image's."""
    image = oci_layout(tmp_path / "image", [LOWER], **CONFIGURED)
    done = run_image(
        image, "2", "3", options=("-w", "/data", "-u", "0", "-e", "A=mine", "-e", "HOME=/mine")
    )
    assert done.text == "/data\nuid=0(root) gid=0(root)\nmine image /mine /bin\n2 3\n"


def test_entrypoint(tmp_path: Path, run_image: Run) -> None:
    """--entrypoint takes the place of Entrypoint and Cmd; an empty one is none."""
    image = oci_layout(tmp_path / "image", [LOWER], **CONFIGURED)
    assert run_image(image, "a", "b", options=("--entrypoint", "/bin/echo")).text == "a b\n"
    assert run_image(image, options=("--entrypoint", "/bin/echo")).text == "\n"
    assert run_image(image, "echo", "c", options=("--entrypoint", "")).text == "c\n"


def test_environment_of_the_caller_stays_out(tmp_path: Path, run_image: Run) -> None:
    """Only TERM, and what is asked for."""
    image = oci_layout(tmp_path / "image", [LOWER])
    done = run_image(image, "env", options=("-e", "LC_ALL"))
    assert sorted(line.partition("=")[0] for line in done.text.splitlines()) == [
        "HOME", "LC_ALL", "PATH", "TERM",
    ]  # fmt: skip
    assert "HOME=/root\n" in done.text


def test_owners_and_modes(tmp_path: Path, run_image: Run) -> None:
    """Those of the image, also where an ordinary user could not give them to files of his."""
    image = oci_layout(
        tmp_path / "image",
        [
            busybox_layer(
                directory("own", uid=77, gid=88, mode=0o750),
                entry("own/first", b"", uid=1, gid=1),
                entry("shadow", b"secret", gid=42, mode=0),
                images.symlink("link", "shadow", uid=77, gid=1),
                entry("su", b"", mode=0o4711),
            ),
            archive(
                [entry("own/.wh.first"), entry("own/second", b""), directory("locked", mode=0)]
            ),
        ],
    )
    names = "/own /own/second /shadow /link /su /locked /etc"
    done = run_image(image, "sh", "-c", f"stat -c '%n %u:%g %a' {names}")
    assert done.text.splitlines() == [
        "/own 77:88 750",
        "/own/second 0:0 644",
        "/shadow 0:42 0",
        "/link 77:1 777",
        "/su 0:0 4711",
        "/locked 0:0 0",
        "/etc 0:0 755",
    ]
    script = "touch /own/mine && stat -c %u /own/mine; cat /shadow; touch /etc/mine"
    done = run_image(image, "sh", "-c", script, options=("-u", "app"))
    assert done.text == "77\n"
    assert done.stderr.count(b"Permission denied") == 2
    script = "cat /shadow; chown 5:6 /own; stat -c '%u:%g %a' /own /own/second"
    assert run_image(image, "sh", "-c", script).text == "secret5:6 750\n0:0 644\n"


# -- which image is meant ----------------------------------------------------------------------


def two_images(path: Path) -> Path:
    """A layout with two images, of which one is for two platforms."""
    layout = Layout(path)
    first = layout.manifest([busybox_layer(entry("etc/name", b"first\n"))])
    second = layout.manifest([busybox_layer(entry("etc/name", b"second\n"))])
    foreign = {**first, "platform": {"os": "linux", "architecture": "arm64"}}
    attested = {**first, "platform": {"os": "unknown", "architecture": "unknown"}}
    ours = {**second, "platform": {"os": "linux", "architecture": "amd64"}}
    layout.add(first, "docker.io/library/one:1")
    layout.add(layout.index([foreign, attested, ours]), "two:latest")
    return path


def test_image_by_name(tmp_path: Path, run_image: Run) -> None:
    """In full, in short, after # or :, and of several platforms the one that runs here."""
    layout = two_images(tmp_path / "layout")
    show = ("cat", "/etc/name")
    for name in ("#docker.io/library/one:1", "#one:1", ":one:1", "#1"):
        assert run_image(f"{layout}{name}", *show).text == "first\n"
    for name in ("#two:latest", "#two", ":latest"):
        assert run_image(f"{layout}{name}", *show).text == "second\n"
    assert run_image("one:1", *show).text == "first\n", "by its name in the cache"
    other = docker_archive(tmp_path / "3.tar", [busybox_layer()], "localhost/three:3")
    for name in ("three:3", "localhost/three:3", "3"):
        assert run_image(f"{other}#{name}", "true").status == 0


def test_which_image_is_not_clear(tmp_path: Path, run_image: Run) -> None:
    """The message names those that there are."""
    layout = two_images(tmp_path / "layout")
    done = run_image(layout, "true")
    assert done.status == 125
    assert b"several images in it; add #NAME, one of: docker.io/library/one:1, two:latest" in (
        done.stderr
    )
    done = run_image(f"{layout}#three", "true")
    assert b"no image 'three' in it, only docker.io/library/one:1, two:latest" in done.stderr
    done = run_image("nowhere:1", "true")
    assert b"no such file, and no image of this name is in the cache" in done.stderr


def test_image_for_another_machine(tmp_path: Path, run_image: Run) -> None:
    layout = Layout(tmp_path / "layout")
    manifest = layout.manifest([LOWER])
    layout.add({**manifest, "platform": {"os": "linux", "architecture": "arm64"}})
    done = run_image(layout.path, "true")
    assert b"no image for linux/amd64 in it, only for linux/arm64" in done.stderr


# -- damage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["manifest", "config", "layer"])
def test_every_digest_is_checked(part: str, tmp_path: Path, cache: Path, run_image: Run) -> None:
    """A blob of the right length with one byte changed is noticed, and nothing is kept."""
    path = oci_layout(tmp_path / "layout", [LOWER], "")
    blobs = sorted((path / "blobs" / "sha256").iterdir(), key=lambda blob: blob.stat().st_size)
    blob = {"layer": blobs[2]}.get(part) or next(
        blob for blob in blobs[:2] if (b'"layers":' in blob.read_bytes()) == (part == "manifest")
    )
    data = bytearray(blob.read_bytes())
    place = data.index(b"root:x:0:0") if part == "layer" else data.index(b"sha256") + 10
    data[place] ^= 1
    blob.write_bytes(data)
    done = run_image(path, "true")
    assert done.status == 125
    assert b"is damaged: its digest is sha256:" in done.stderr
    assert os.listdir(cache / "sha256") == leftovers(cache) == []


def test_lengths_are_checked(tmp_path: Path, run_image: Run) -> None:
    path = oci_layout(tmp_path / "layout", [LOWER], "")
    largest = max((path / "blobs" / "sha256").iterdir(), key=lambda blob: blob.stat().st_size)
    with largest.open("ab") as file:
        file.write(b"\0")
    assert b"is damaged: it has" in run_image(path, "true").stderr


def test_content_of_layers_is_checked(tmp_path: Path, cache: Path, run_image: Run) -> None:
    """A docker archive's layers have no digest but that of their content in the configuration."""
    image = docker_archive(tmp_path / "image.tar", [LOWER])
    data = image.read_bytes()
    image.write_bytes(data.replace(b"root:x:0:0:root", b"root:x:0:0:evil"))
    done = run_image(image, "true")
    assert b"is damaged: its content has the digest" in done.stderr
    assert os.listdir(cache / "sha256") == []


@pytest.mark.parametrize(
    "index",
    [b"", b"[]", b'{"manifests": [1]}', b'{"manifests": {}}', b"[" * 100000, b'{"manifests": []}',
     b'{"manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json"}]}',
     b'{"manifests": [{"digest": "sha256:../../../../etc/passwd", "size": 1}]}'],
    ids=range(8),
)  # fmt: skip
def test_nonsense(index: bytes, tmp_path: Path, run_image: Run) -> None:
    """An index that is none: one line says so, and it is not an internal error."""
    path = oci_layout(tmp_path / "layout", [LOWER])
    (path / "index.json").write_bytes(index)
    done = run_image(path, "true")
    assert done.status == 125
    assert done.stderr.startswith(b"runsc-py: --image") and done.stderr.count(b"\n") == 1
    assert b"internal" not in done.stderr


def test_no_image_at_all(tmp_path: Path, run_image: Run) -> None:
    (tmp_path / "text").write_text("this is no archive\n" * 100)
    os.mkfifo(tmp_path / "fifo")
    assert b"no tar archive" in run_image(tmp_path / "text", "true").stderr
    assert b"neither a directory nor a file" in run_image(tmp_path / "fifo", "true").stderr


def test_failure_is_recorded(tmp_path: Path, run_image: Run) -> None:
    """`--result` has it too."""
    result = tmp_path / "result"
    run_image("nowhere", "true", options=("--result", str(result)))
    record = json.loads(result.read_text())
    assert record["reason"] == "internal" and "nowhere" in record["message"]


# -- the cache ---------------------------------------------------------------------------------


def test_list_and_remove(tmp_path: Path, cache: Path, run_image: Run) -> None:
    """images, images --json, images rm."""
    assert manage(cache).stdout == b""
    image = docker_archive(tmp_path / "image.tar", [LOWER, UPPER], "demo:1", "demo:latest")
    run_image(image, "true")
    lines = manage(cache).stdout.decode().splitlines()
    assert lines[0].split() == ["NAME", "DIGEST", "SIZE", "UNPACKED", "LAST", "USED"]
    assert [line.split()[0] for line in lines[1:]] == ["demo:1"]
    document = json.loads(manage(cache, "--json").stdout)
    (found,) = document["images"]
    assert (found["names"], found["layers"]) == (["demo:1"], 2)
    assert Path(found["root"], "data", "kept").read_text() == "kept\n"
    for wrong in ("nobody", found["digest"][7:12]):
        assert manage(cache, "rm", wrong).status == 125
    assert manage(cache, "rm", found["digest"][7:19]).stdout.startswith(b"removed demo:1, ")
    assert manage(cache).stdout == b""
    for place in ("names", "sources", "sha256", "unpacking"):
        assert os.listdir(cache / place) == []
    assert run_image(image, "cat", "/data/kept").text == "kept\n"


def test_prune(tmp_path: Path, cache: Path, run_image: Run) -> None:
    """Without options those whose name another one has now; --all; --older-than."""
    first = docker_archive(tmp_path / "1.tar", [LOWER], "demo")
    second = docker_archive(tmp_path / "2.tar", [LOWER, UPPER], "demo")
    run_image(first, "true")
    run_image(second, "true")
    assert len(os.listdir(cache / "sha256")) == 2
    assert manage(cache, "prune", "--older-than", "1h", "--all").stdout == b""
    assert manage(cache, "prune").stdout.count(b"removed") == 1
    assert run_image("demo", "ls", "/data").text == "kept\nnew\n"
    assert manage(cache, "prune", "--all").stdout.startswith(b"removed demo, ")
    assert os.listdir(cache / "sha256") == []
    assert manage(cache, "prune", "--json").status == 125


def test_an_image_in_use_stays(tmp_path: Path, cache: Path, workplace: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [LOWER], "demo")
    workplace.mkdir()
    words = command(["sh", "-c", "echo ready; read x; cat /data/kept"], ["--image", str(image)])
    with Live(["env", f"RUNSC_PY_CACHE={cache}", *words], workplace) as live:
        live.expect(b"ready")
        assert b"kept demo, which is in use" in manage(cache, "prune", "--all").stdout
        assert b"demo is in use" in manage(cache, "rm", "demo").stderr
        live.send(b"\n")
        live.expect(b"kept\n")
        live.process.wait(timeout=20)
    assert b"removed demo" in manage(cache, "prune", "--all").stdout


def test_a_damaged_record(tmp_path: Path, cache: Path, run_image: Run) -> None:
    """It is said what to do, and that helps."""
    image = docker_archive(tmp_path / "image.tar", [LOWER], "demo")
    run_image(image, "true")
    (record,) = (cache / "sha256").glob("*/record")
    record.write_bytes(b"\xc1")
    done = run_image("demo", "true")
    assert b"is damaged" in done.stderr and b"images rm" in done.stderr
    assert b"<damaged>" in manage(cache).stdout
    assert manage(cache, "rm", record.parent.name[:12]).status == 0
    assert run_image(image, "cat", "/data/kept").text == "kept\n"


def test_a_cache_of_somebody_else(tmp_path: Path, cache: Path, run_image: Run) -> None:
    """Nobody but its owner may enter it, and another one's is not used."""
    image = docker_archive(tmp_path / "image.tar", [LOWER])
    cache.mkdir(mode=0o777)
    run_image(image, "true")
    assert cache.stat().st_mode & 0o077 == 0
    if os.geteuid() == 0:
        os.chown(cache, 12345, 12345)
        assert b"belongs to another user" in run_image(image, "true").stderr


# -- several runs, and none that ends ----------------------------------------------------------


def start(image: Path, cache: Path, *words: str) -> "subprocess.Popen[bytes]":
    env = environment({"RUNSC_PY_CACHE": str(cache)})
    return subprocess.Popen(
        command(list(words), ["--image", str(image)]),
        cwd="/",
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def large_layer(files: int = 3000) -> bytes:
    """One that takes a while."""
    many = [entry(f"many/{number % 50}/{number}", b"x" * 3000) for number in range(files)]
    return busybox_layer(*many)


@pytest.mark.slow
def test_two_runs_at_once(tmp_path: Path, cache: Path) -> None:
    """Both have the image; it is unpacked by one of them."""
    image = docker_archive(tmp_path / "image.tar", [large_layer()])
    running = [start(image, cache, "ls", "/many/7") for _ in range(3)]
    outputs = {process.communicate(timeout=100)[0] for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert [len(output.split()) for output in outputs] == [60]
    assert leftovers(cache) == []
    assert len(os.listdir(cache / "sha256")) == 1


def _reached(process: "subprocess.Popen[bytes]", cache: Path, files: int) -> bool:
    """Whether so many files are unpacked, or the run is over."""
    # Unlike glob, a walk minds nothing that disappears meanwhile.
    found = sum(len(names) for _, _, names in os.walk(cache / "unpacking"))
    return found >= files or process.poll() is not None


@pytest.mark.slow
def test_killed_while_unpacking(tmp_path: Path, cache: Path, run_image: Run) -> None:
    """SIGKILL at some points: what is left is never taken for an image, and goes with the next."""
    image = docker_archive(tmp_path / "image.tar", [large_layer()])
    for files in (20, 300, 2000):
        process = start(image, cache, "true")

        eventually(f"{files} files are unpacked", partial(_reached, process, cache, files), 60)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        # It may have been quicker than we were.
        assert process.returncode == 0 or os.listdir(cache / "sha256") == []
        if process.returncode == 0:
            manage(cache, "prune", "--all")
    assert run_image(image, "sh", "-c", "ls /many/* | wc -l").text == f"{3000 + 50 * 2 - 1}\n"
    assert leftovers(cache) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_while_unpacking(number: signal.Signals, tmp_path: Path, cache: Path) -> None:
    """Whoever can clean up does."""
    image = docker_archive(tmp_path / "image.tar", [large_layer(20_000)])
    process = start(image, cache, "true")
    eventually("it unpacks", partial(_reached, process, cache, 500), 60)
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert b"Traceback" not in errors
    assert leftovers(cache) == os.listdir(cache / "sha256") == []
