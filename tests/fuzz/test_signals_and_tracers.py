"""Random signals, frames, supervisors and tracers leave a sandbox that runs on.

`signals.c` and `tracer.c` say what a round is.
"""

import os
import subprocess
from pathlib import Path

import pytest

from harness import sandbox
from harness.compiler import compile_c

ROUNDS = int(os.environ.get("RUNSC_FUZZ_ROUNDS", "8"))
TIMEOUT = 60 + 5 * ROUNDS


@pytest.mark.slow
@pytest.mark.timeout(2 * TIMEOUT)
@pytest.mark.parametrize("seed", (1, 2))
@pytest.mark.parametrize("driver", ("signals", "tracer"))
def test_random_rounds(driver: str, seed: int, tmp_path: Path, native_only: bool) -> None:
    """The driver sees every round through, and the sandbox ends as it does."""
    if native_only:
        pytest.skip("the calls are for the sandbox; the host is spared")
    program = compile_c(Path(__file__).with_name(f"{driver}.c"))
    command = sandbox.command([program, str(seed), str(ROUNDS)], ("--debug",))
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr[-4000:].decode(errors="replace")
    assert done.stdout.endswith(b"finished\n")
