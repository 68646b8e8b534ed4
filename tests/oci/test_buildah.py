"""Images built with runsc-py: `buildah run`, and `podman build` of a Dockerfile from scratch."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.engines import LIMITS, STORAGE, Engine, Podman
from harness.oci_bundle import busybox, make_rootfs
from harness.programs import require

pytestmark = pytest.mark.slow

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN echo built > /greeting && test -L /bin/ls
CMD ["/bin/cat", "/greeting"]
"""


@pytest.fixture
def limits(native_only: bool) -> tuple[str, ...]:
    """What runc needs here."""
    return LIMITS if native_only else ()


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a short name."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user's storage is tested with podman")
    require(("busybox", "busybox-static"))
    with tempfile.TemporaryDirectory(prefix="buildah-") as name:
        yield Path(name)


def test_buildah_run(directory: Path, runtime: str) -> None:
    """A container from scratch, a command in it, and what the command wrote is in the image."""
    require(("buildah", "buildah"))
    make_rootfs(directory / "rootfs")
    storage = ("--root", str(directory / "root"), "--runroot", str(directory / "run"))
    buildah = Engine(["buildah", *storage, *STORAGE], {"HOME": str(directory)})
    container = buildah("from", "scratch").strip()
    buildah("copy", container, directory / "rootfs", "/")
    options = ("--isolation", "oci", "--runtime", runtime, "--network", "none")
    shown = buildah("run", *options, container, "--", "sh", "-c", "echo x > /made; id -u; hostname")
    assert shown.splitlines()[0] == "0"
    assert buildah("run", *options, container, "--", "cat", "/made") == "x\n"
    assert buildah.call("run", *options, container, "--", "sh", "-c", "exit 7").status != 0
    mounted = Path(buildah("mount", container).strip())
    assert (mounted / "made").read_text() == "x\n"
    buildah("rm", container)


def test_podman_build(directory: Path, runtime: str, limits: tuple[str, ...]) -> None:
    """RUN lines of a Dockerfile; the image that comes of them runs."""
    require(("podman", "podman"))
    context = directory / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE)
    (context / "busybox").write_bytes(Path(busybox() or "").read_bytes())
    (context / "busybox").chmod(0o755)
    (directory / "podman").mkdir()
    podman = Podman(directory / "podman", runtime)
    try:
        podman("build", "--isolation", "oci", "--network", "none", *limits, "-t", "built", context)
        assert podman("run", "--rm", "--network", "none", *limits, "built") == "built\n"
    finally:
        podman.close()
