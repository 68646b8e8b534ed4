"""Root's use of ids and capabilities, natively and inside; only where there is a root."""

from pathlib import Path

import pytest

from harness.compiler import compile_c
from harness.differential import Compare
from runsc_py.sentry.auth.capabilities import CONTAINER_CAPABILITIES, is_subset


def _is_root() -> bool:
    """Whether a child of ours would have what root has in a container."""
    status = Path("/proc/self/status").read_text().splitlines()
    sets = {line.split(":")[0]: line.split()[1] for line in status if line.startswith("Cap")}
    return all(
        is_subset(CONTAINER_CAPABILITIES, int(sets[name], 16))
        for name in ("CapPrm", "CapEff", "CapBnd")
    )


@pytest.mark.skipif(not _is_root(), reason="natively, it needs root")
def test_as_natively(compare: Compare) -> None:
    program = compile_c(Path(__file__).parent / "privileged.c")
    compare([str(program)])
