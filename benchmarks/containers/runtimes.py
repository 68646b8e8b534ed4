"""The competitors: runsc-py, gVisor, and the runtimes that use the host's own kernel.

All get the same bundle and the same commands; the bundle names no control group.
"""

import os
import shutil
from pathlib import Path

from harness.oci_runtime import Runtime, ours, peers

GVISOR = ["runsc", "--network=none", "--platform=ptrace", "--ignore-cgroups", "--overlay2=none"]
SANDBOX = "io.kubernetes.cri.sandbox-id"
TYPE = "io.kubernetes.cri.container-type"


def runtimes(state: Path) -> list[Runtime]:
    """All that can be asked here, with their state below a directory of ours."""
    found = [ours(state / "runsc-py"), *peers(state)]
    gvisor = Runtime("gVisor ptrace", GVISOR, state / "gvisor")
    installed = [gvisor] if shutil.which(GVISOR[0]) and os.geteuid() == 0 else []
    return [*found[:1], *installed, *found[1:]]


def makes_sandboxes(runtime: Runtime) -> bool:
    """Whether several containers can share one sandbox."""
    return runtime.name in ("runsc-py", "gVisor ptrace")
