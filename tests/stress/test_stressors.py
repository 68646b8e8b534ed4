"""stress-ng's stressors, each in a sandbox of its own: all by `make stress`, a few by `make test`.

Every stressor verifies what the kernel gives it: a wrong result is a line with `fail:`, and status
2.
One that stress-ng leaves out, because it finds something missing, ends without success.
"""

import os
from pathlib import Path

import pytest

from harness.differential import Find, Inside
from stress.stressors import NOT_FOR_ROOT, QUICK, STRESSORS

SECONDS = int(os.environ.get("RUNSC_STRESS_SECONDS", "0"))
"""For each of all stressors; 0: one second for each of `QUICK`."""
PATIENCE = 180
"""Seconds after its time until a stressor counts as stuck."""
WORKERS = "2"

CHOSEN = [
    pytest.param(stressor, False, id=f"{family}-{stressor}")
    for family, stressor in STRESSORS
    if SECONDS or stressor in QUICK
] + [
    pytest.param(stressor, True, id=f"volume-{stressor}")
    for family, stressor in STRESSORS
    if SECONDS and family == "files"
]


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 2 * PATIENCE)
@pytest.mark.parametrize(("stressor", "on_volume"), CHOSEN)
def test_stressor(
    stressor: str, on_volume: bool, tmp_path: Path, inside: Inside, program: Find
) -> None:
    """Every result is right, it ends in time, and no process of it is left."""
    place = str(tmp_path) if on_volume else "/tmp"
    words = [program("stress-ng", "stress-ng"), f"--{stressor}", WORKERS, "--verify"]
    # Some are left out because they may crash a kernel: that is what this is about.
    words += ["--pathological", "--timeout", f"{SECONDS or 1}s", "--temp-path", place]
    options = ["--user", "65534:65534"] if stressor in NOT_FOR_ROOT else []
    if on_volume:
        options += ["--volume", f"{place}:{place}:rw"]
    outcome = inside(words, timeout=SECONDS + PATIENCE, options=options)
    printed = outcome.stdout + outcome.stderr
    assert outcome.status == 0 and b"fail:" not in printed, outcome.summary()
    assert b"successful run completed" in printed, outcome.summary()
