"""Every guest program beneath this directory, run natively and inside, must print the same.

To add a case, drop in one file; `harness.guest` lists the directives it may contain.
"""

import os
import shutil
from pathlib import Path

import pytest

from harness.differential import Case, same_user
from harness.guest import Guest, discover
from harness.host import host_kernel
from harness.outcome import differences

GUESTS = discover(Path(__file__).parent)


NODES = Path("/sys/devices/system/node")


@pytest.mark.parametrize("guest", GUESTS, ids=lambda guest: guest.name)
def test_same_inside(guest: Guest, workplace: Path, native_only: bool) -> None:
    """The status and both outputs are those of the native run."""
    for needed in guest.needs:
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    if guest.nodes and guest.nodes != len(list(NODES.glob("node[0-9]*"))):
        pytest.skip("the host has another number of nodes to compare with")
    if host_kernel() < guest.kernel:
        pytest.skip("the host's kernel is too old to compare with")
    if guest.user == "root" and os.geteuid() != 0:
        pytest.skip("natively only the superuser may do this")
    case = Case(
        guest.command(),
        workplace,
        stdin=guest.stdin,
        env=guest.environment,
        timeout=guest.timeout,
        options=guest.options,
    )
    native = case.native()
    assert native.status == guest.status, f"natively\n{native.summary()}"
    assert not native.leaked, f"natively: processes left behind: {native.leaked}"
    if native_only:
        again = differences(native, case.native())
        assert not again, f"two native runs differ\n{again}"
        return
    found = differences(native, case.inside(same_user()))
    if guest.pending:
        assert found, f"{guest.name} passes: remove `pending = {guest.pending}`"
        pytest.xfail(guest.pending)
    if found:
        pytest.fail(found, pytrace=False)
