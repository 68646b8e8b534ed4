"""Annotations about mounts and roots: dev.gvisor.spec.mount.*, dev.gvisor.spec.rootfs.*."""

import os
from pathlib import Path
from typing import Any

import pytest

from harness.containers import BUSYBOX, WAIT, Engine

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

CONTAINER = {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.sandbox-id": "a",
}


class Pod:
    """A volume, and containers that mount it at /v."""

    def __init__(self, engine: Engine, volume: Path) -> None:
        self.engine, self.volume = engine, volume

    def bundle(self, *words: str, strict: tuple[str, ...] = (), **annotations: str) -> Path:
        """Annotations of mount hint `v`, by field."""

        def change(document: Any) -> None:
            document["root"]["readonly"] = False
            document["annotations"] = {
                f"dev.gvisor.spec.mount.v.{field}": value for field, value in annotations.items()
            }
            document["mounts"].append(
                {"destination": "/v", "type": "bind", "source": str(self.volume),
                 "options": ["bind", *strict]}
            )  # fmt: skip

        return self.engine.bundle(*words, change=change)

    def begin(self, *strict: str, **annotations: str) -> None:
        """The root container `a`, which has the hints and waits."""
        bundle = self.bundle(*WAIT, strict=strict, source=str(self.volume), **annotations)
        done = self.engine("create", "--bundle", bundle, "a")
        assert done.returncode == 0, done.stderr
        assert self.engine("start", "a").returncode == 0

    def run(self, name: str, script: str, *options: str) -> tuple[int, str]:
        """A further container; its status and what it says."""

        def change(document: Any) -> None:
            document["annotations"] = CONTAINER
            document["mounts"].append(
                {"destination": "/v", "type": "bind", "source": str(self.volume),
                 "options": ["bind", *options]}
            )  # fmt: skip

        bundle = self.engine.bundle("/bin/sh", "-c", script, change=change)
        done = self.engine("run", "--bundle", bundle, name)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def pod(engine: Engine, tmp_path: Path) -> Pod:
    """A volume with a file."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "there").write_text("content\n")
    return Pod(engine, volume)


@pytest.mark.parametrize("share", ["pod", "container"])
def test_memory(pod: Pod, share: str) -> None:
    """emptyDir: memory that outlives the containers, as large as the hint says."""
    pod.begin(type="tmpfs", share=share, options="size=256k,mode=750")
    script = "busybox ls /v; busybox stat -c %a /v; echo kept >/v/new"
    assert pod.run("b", script) == (0, "750\n")
    fill = "busybox dd if=/dev/zero of=/v/big bs=1M count=1"
    _, output = pod.run("c", f"busybox cat /v/new; {fill}")
    assert output.startswith("kept\n") and "No space left" in output
    assert os.listdir(pod.volume) == ["there"]


def test_files_of_a_pod(pod: Pod) -> None:
    """One file system for all, of which nobody outside is asked again."""
    pod.begin(type="bind", share="pod", directfs="off")
    assert pod.run("b", "busybox cat /v/there; echo new >/v/new") == (0, "content\n")
    assert (pod.volume / "new").read_text() == "new\n"
    assert pod.run("c", "busybox grep -c ' /v .*cache=exclusive' /proc/mounts") == (0, "1\n")


@pytest.mark.parametrize(("share", "cache"), [("container", "exclusive"), ("shared", "shared")])
def test_caching(pod: Pod, share: str, cache: str) -> None:
    """Who else may change the files decides whether they are asked about again."""
    pod.begin(type="bind", share=share)
    assert pod.run("b", f"busybox grep -c ' /v .*cache={cache}' /proc/mounts") == (0, "1\n")


def test_stricter_only(pod: Pod) -> None:
    """A container may take rights from its view of a volume, and not add any."""
    pod.begin("noexec", type="tmpfs", share="pod", options="noexec")
    status, output = pod.run("b", ":")
    assert status == 125 and "cannot mount exec enabled shared mount" in output
    assert pod.run("c", ":", "noexec", "ro") == (0, "")


def test_invalid_hint(pod: Pod) -> None:
    """Refused when the sandbox is made."""
    bundle = pod.bundle(*WAIT, source="/x", type="erofs", share="pod")
    done = pod.engine("create", "--bundle", bundle, "a")
    assert done.returncode == 125
    assert "invalid mount annotation: dev.gvisor.spec.mount.v.type=erofs" in done.stderr


def rooted(engine: Engine, script: str, **hints: str) -> Path:
    """A bundle with hints about its root directory."""

    def change(document: Any) -> None:
        document["root"]["readonly"] = False
        document["annotations"] = {
            f"dev.gvisor.spec.rootfs.{field}": value for field, value in hints.items()
        }

    return engine.bundle("/bin/sh", "-c", script, change=change)


@pytest.mark.parametrize("medium", ["memory", "self"])
def test_overlay_of_the_root(engine: Engine, medium: str) -> None:
    """A layer above it, with a size; an overlay that the options have can be left out."""
    script = "echo x >/new; busybox dd if=/dev/zero of=/big bs=1M count=1"
    bundle = rooted(engine, script, overlay=medium, options="size=256k", type="bind")
    done = engine("run", "--bundle", bundle, "a")
    assert done.returncode == 1 and "No space left" in done.stderr
    assert not (bundle / "rootfs" / "new").exists()
    engine.options = ["--overlay2", "root:memory"]
    bundle = rooted(engine, "echo x >/new", overlay="none")
    assert engine("run", "--bundle", bundle, "b").returncode == 0
    assert (bundle / "rootfs" / "new").read_text() == "x\n"
    engine.options = ["--file-access", "shared"]
    done = engine("run", "--bundle", rooted(engine, ":", overlay="memory"), "c")
    assert done.returncode == 125 and "--file-access=shared" in done.stderr


def test_source_of_the_root(engine: Engine) -> None:
    """A directory of the host is chosen by who may choose every option."""
    other = rooted(engine, ":") / "rootfs"
    (other / "marker").write_text("other\n")
    bundle = rooted(engine, "busybox cat /marker", source=str(other), type="bind")
    done = engine("run", "--bundle", bundle, "a")
    assert done.returncode == 125 and "flag override disabled" in done.stderr
    engine.options = ["--allow-flag-override"]
    done = engine("run", "--bundle", bundle, "a")
    assert (done.returncode, done.stdout) == (0, "other\n"), done.stderr
