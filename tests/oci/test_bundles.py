"""The same bundle run by runc, crun and runsc-py: one file of bundles/ a behaviour.

Where runc and crun agree, that is what runsc-py has to do. Where they do not, the case says whom it
follows and why.
"""

import difflib
import os
from pathlib import Path

import pytest

from harness.oci_bundle import busybox
from harness.oci_case import Case, Run, discover
from harness.oci_runtime import Runtime, ours, peers

CASES = discover(Path(__file__).parent / "bundles")


def _difference(title: str, expected: str, found: str) -> str:
    lines = difflib.unified_diff(
        expected.splitlines(), found.splitlines(), title, "runsc-py", lineterm="", n=3
    )
    return "\n".join(lines)


def _reference(case: Case, runtimes: list[Runtime], directory: Path) -> tuple[str, str]:
    """The name of the peer that is followed, and its transcript."""
    seen = {runtime.name: Run(case, runtime, directory).transcript() for runtime in runtimes}
    if case.like in seen:
        return case.like, seen[case.like]
    names = list(seen)
    assert len(set(seen.values())) == 1, "say in `like` whom to follow\n" + _difference(
        names[0], seen[names[0]], seen[names[-1]]
    )
    return " and ".join(names), seen[names[0]]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_bundle(case: Case, tmp_path: Path, native_only: bool) -> None:
    """Statuses, output, state and hooks are those of the peers."""
    if os.geteuid() != 0:
        pytest.skip("runc and crun need root, or user namespaces that give other results")
    runtimes = peers(tmp_path / "state")
    if not runtimes or busybox() is None:
        pytest.skip(
            "there is nothing to compare with; Debian's packages are runc, crun, busybox-static"
        )
    bundle = tmp_path / "bundle"
    name, expected = _reference(case, runtimes, bundle)
    if native_only:
        print(expected)
        return
    run = Run(case, ours(tmp_path / "state" / "ours"), bundle)
    difference = _difference(name, expected, run.transcript())
    if case.pending:
        assert difference, "this works now: remove `pending`"
        pytest.xfail(case.pending)
    assert not difference, f"{difference}\n{run.errors()}"
