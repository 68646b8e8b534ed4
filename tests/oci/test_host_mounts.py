"""Bind mounts of a file system that the host has mounted with less rights."""

import os
from pathlib import Path

import pytest

from harness.oci_bundle import busybox, make_bundle
from harness.oci_runtime import Runtime, ours, peers

pytestmark = [
    pytest.mark.skipif(busybox() is None, reason="Debian: busybox-static"),
    pytest.mark.skipif(os.geteuid() != 0, reason="runc and mount(8) need root"),
]
HOST = "nosuid,nodev,noexec,noatime"
FLAGS = "ro|rw|nosuid|nodev|noexec|noatime|relatime|nodiratime"
SCRIPT = (
    f"for place in /plain /said; do awk -v p=$place '$2 == p {{ print $4 }}' /proc/mounts | "
    f"tr , '\\n' | grep -xE '{FLAGS}' | sort | tr '\\n' ' '; "
    "$place/program 2>&1; touch $place/new 2>&1; done"
)


def _seen(runtime: Runtime, directory: Path, host: str) -> str:
    source = directory / "source"
    mounts = [
        {"destination": "/plain", "type": "bind", "source": str(source), "options": ["bind"]},
        {
            "destination": "/said",
            "type": "bind",
            "source": str(source),
            "options": ["bind", "exec", "suid", "nodev"],
        },
    ]
    make_bundle(directory, {"process": {"args": ["sh", "-c", SCRIPT]}, "mounts+": mounts})
    source.mkdir()
    prepare = (
        f"mount -t tmpfs tmpfs {source} && echo 'echo executed' > {source}/program && "
        f'chmod 755 {source}/program && mount -o remount,{host} {source} && exec "$@"'
    )
    private = ["unshare", "--mount", "--propagation", "private", "sh", "-c", prepare, "-"]
    inside = Runtime(runtime.name, [*private, *runtime.prefix], runtime.state)
    called = inside.call("run", "--bundle", directory, "flags")
    if "unshare" in called.stderr or "permission denied" in called.stderr.splitlines()[:1]:
        pytest.skip("mounts cannot be made here")
    return called.stdout


@pytest.mark.parametrize("host", [HOST, f"{HOST},ro", "ro"])
def test_flags(tmp_path: Path, host: str) -> None:
    """They are inside as well, but for those that the specification takes away."""
    runc = [runtime for runtime in peers(tmp_path / "state") if runtime.name == "runc"]
    if not runc:
        pytest.skip("there is nothing to compare with; Debian: runc")
    expected = _seen(runc[0], tmp_path / "runc", host)
    assert _seen(ours(tmp_path / "state" / "ours"), tmp_path / "ours", host) == expected
    assert "plain" in expected
