"""Sockets that a service manager has opened for the runtime are the container's.

What is expected is sd_listen_fds(3) and runc's; crun looks at other variables.
"""

import os
import subprocess
from pathlib import Path

import pytest

from harness.differential import environment
from harness.oci_bundle import busybox, make_bundle
from harness.oci_runtime import LIMIT, Called, Runtime, ours, peers

#: a manager tells it to the process that it starts, by number
MANAGER = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3< given 4< kept'
OTHER_MANAGER = 'LISTEN_FDS=1 LISTEN_PID=1 exec "$@" 3< given'
SCRIPT = 'echo "$LISTEN_FDS $LISTEN_PID"; cat <&3; cat <&4'


def run(runtime: Runtime, manager: str, *options: str, bundle: Path) -> str:
    """What a container that was started by a manager sees."""
    command = runtime.command("run", *options, "--bundle", str(bundle), f"listen-{os.getpid()}")
    done = subprocess.run(
        ["sh", "-c", manager, "-", *command],
        cwd=bundle,
        env=environment(None),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        start_new_session=True,
    )
    return Called(done).stdout


def test_listening_sockets(tmp_path: Path) -> None:
    """They come first, then those of --preserve-fds; those of another process are not passed on."""
    if os.geteuid() != 0 or busybox() is None:
        pytest.skip("runc and crun need root; Debian's packages are runc, crun, busybox-static")
    process = {"args": ["sh", "-c", SCRIPT]}
    (bundle := tmp_path / "bundle").mkdir()
    make_bundle(bundle, {"process": process})
    for name in ("given", "kept"):
        (bundle / name).write_text(f"{name}\n")
    runtimes = [*peers(tmp_path / "state"), ours(tmp_path / "state" / "ours")]
    for runtime in (one for one in runtimes if one.name != "crun"):
        shown = run(runtime, MANAGER, "--preserve-fds", "1", bundle=bundle)
        assert shown == "1 1\ngiven\nkept\n", runtime.name
        assert run(runtime, OTHER_MANAGER, bundle=bundle) == " \n", runtime.name
