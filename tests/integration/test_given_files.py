"""Descriptors that come with a command: `--pass-fd`, `--exec-fd`."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.containers import BUSYBOX, WAIT, Engine, Result
from harness.sandbox import EXECUTABLE

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")
INSIDE = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "root"}


def call(engine: Engine, *words: str | Path, files: tuple[int, ...]) -> Result:
    """A command that is given descriptors; its output goes to files."""
    with open(engine.folder / "out", "w+") as out, open(engine.folder / "err", "w+") as err:
        done = subprocess.run(
            [EXECUTABLE, "--root", engine.root, *words],
            pass_fds=files,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            timeout=60,
        )
        out.seek(0)
        err.seek(0)
        return Result(done.args, done.returncode, out.read(), err.read())


@pytest.fixture
def program() -> Iterator[int]:
    """busybox, open for reading."""
    assert BUSYBOX is not None
    descriptor = os.open(BUSYBOX, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def without_programs(engine: Engine, *arguments: str) -> Path:
    """A bundle whose root has nothing that could be executed."""
    bundle = engine.bundle(*arguments)
    for path in (bundle / "rootfs" / "bin").iterdir():
        path.unlink()
    return bundle


def test_program_without_a_name(engine: Engine, program: int) -> None:
    """It runs, is called by argv[0], and can be executed again by way of /proc."""
    script = 'if [ "$1" ]; then echo again; '
    script += "else exec -a sh /proc/self/exe -c \"$0\" \"$0\" second; fi"  # fmt: skip
    bundle = without_programs(engine, "sh", "-c", script, script)
    words = ("run", "--bundle", bundle, "--exec-fd", str(program), "a")
    done = call(engine, *words, files=(program,))
    assert (done.returncode, done.stdout) == (0, "again\n"), done.stderr
    assert call(engine, "run", "--bundle", bundle, "a", files=()).returncode == 127


def test_program_of_exec(engine: Engine, program: int) -> None:
    """Another one than the container's; it may have further descriptors."""
    engine.create("a", *WAIT)
    assert engine("start", "a").returncode == 0
    reader, writer = os.pipe()
    os.write(writer, b"through\n")
    os.close(writer)
    try:
        options = ("--exec-fd", str(program), "--pass-fd", f"{reader}:7")
        words = ("exec", *options, "a", "sh", "-c", "cat <&7; readlink /proc/self/fd/7 | cut -c1-4")
        done = call(engine, *words, files=(program, reader))
        assert (done.returncode, done.stdout) == (0, "through\npipe\n"), done.stderr
    finally:
        os.close(reader)


def test_of_a_container_that_comes_later(engine: Engine, program: int) -> None:
    """Its descriptors wait in the sandbox until it starts."""
    sandbox = {"io.kubernetes.cri.container-type": "sandbox"}
    first = engine.bundle(*WAIT, change=lambda document: document.update(annotations=sandbox))
    assert engine("create", "--bundle", first, "root").returncode == 0
    assert engine("start", "root").returncode == 0
    second = engine.bundle(
        "sh", "-c", "cat <&3", change=lambda document: document.update(annotations=INSIDE)
    )
    (second / "rootfs" / "bin" / "busybox").unlink()
    reader, writer = os.pipe()
    os.write(writer, b"waited\n")
    os.close(writer)
    try:
        options = ("--exec-fd", str(program), "--pass-fd", f"{reader}:3")
        done = call(engine, "create", "--bundle", second, *options, "b", files=(program, reader))
        assert done.returncode == 0, done.stderr
    finally:
        os.close(reader)
    output = (engine.folder / "out").rename(engine.folder / "output")
    assert engine("start", "b").returncode == 0
    assert engine("wait", "b").stdout == '{"id": "b", "exitStatus": 0}\n'
    assert output.read_text() == "waited\n"
    for name in ("b", "root"):
        assert engine("delete", "--force", name).returncode == 0


def test_wrong_descriptors(engine: Engine) -> None:
    """Refused before anything is made."""
    bundle = engine.bundle("sh")
    reader, writer = os.pipe()
    directory = os.open("/", os.O_RDONLY)
    path = os.open(bundle / "config.json", os.O_PATH)
    try:
        for descriptor in (reader, directory, path):
            words = ("create", "--bundle", bundle, "--exec-fd", str(descriptor), "a")
            done = call(engine, *words, files=(descriptor,))
            assert done.returncode == 125 and "no regular file that can be read" in done.stderr
    finally:
        for descriptor in (reader, writer, directory, path):
            os.close(descriptor)
    for text, reason in (("999", "Bad file descriptor"), ("x", "use a descriptor")):
        done = engine("create", "--bundle", bundle, "--exec-fd", text, "a")
        assert done.returncode == 125 and reason in done.stderr
    displaced = engine("run", "--bundle", bundle, "--pass-fd", "1:1", "a")
    assert displaced.returncode == 125 and "displaced" in displaced.stderr
    assert engine("list", "-q").stdout == ""
