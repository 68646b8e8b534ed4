"""Steps of starting a container that need no kernel: rights, limits, environment, layers, hints."""

import resource

import pytest

from runsc_py.runsc.config import Config
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.loader.gofer_mounts import GoferMountConfiguration
from runsc_py.runsc.loader.loader import name_of
from runsc_py.runsc.loader.process_arguments import (
    capability_set,
    limits_of,
    resolve_environment,
)
from runsc_py.runsc.loader.shared_mounts import SharedMounts
from runsc_py.runsc.oci.process import Rlimit
from runsc_py.sentry.auth.capabilities import CAP_CHOWN, CAP_NET_RAW
from runsc_py.sentry.kernel.limits import RLIMIT_NOFILE


def test_step_3_capabilities_lose_net_raw() -> None:
    names = ["CAP_CHOWN", "CAP_NET_RAW"]
    assert capability_set(names, Config()) == 1 << CAP_CHOWN
    assert capability_set(names, Config(net_raw=True)) == 1 << CAP_CHOWN | 1 << CAP_NET_RAW


@pytest.mark.parametrize("name", ["CHOWN", "CAP_NOTHING", "cap_chown", ""])
def test_step_3_an_unknown_capability_is_an_error(name: str) -> None:
    with pytest.raises(ControlError, match="unknown capability"):
        capability_set([name], Config())


def test_step_7a_limits_of_one_container_do_not_leak_into_the_next() -> None:
    changed = limits_of([Rlimit(type="RLIMIT_NOFILE", soft=3, hard=4)])
    assert changed.get(RLIMIT_NOFILE) == (3, 4)
    hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 1 << 20)
    assert limits_of([]).get(RLIMIT_NOFILE)[1] == hard


@pytest.mark.parametrize(
    ("kind", "soft", "message"),
    [("RLIMIT_NOTHING", 1, "unknown resource"), ("RLIMIT_NOFILE", 9, "above hard limit")],
)
def test_step_7a_wrong_limits(kind: str, soft: int, message: str) -> None:
    with pytest.raises(ControlError, match=message):
        limits_of([Rlimit(type=kind, soft=soft, hard=2)])


def test_step_7b_the_last_value_wins_in_the_order_of_the_last_ones() -> None:
    assert resolve_environment(["A=1", "B=2", "A=3=4"]) == [b"B=2", b"A=3=4"]
    with pytest.raises(ControlError, match="invalid variable: C"):
        resolve_environment(["C"])


def test_step_5_a_name_follows_its_renaming() -> None:
    """The prefix is followed by anything; what is no renaming, or another's, is ignored."""
    key, rename = "io.kubernetes.cri.container-name", "dev.gvisor.container-name-remap."
    assert name_of({key: "web", f"{rename}0": "db=store", f"{rename}1": "web=site"}) == "site"
    assert name_of({key: "web", f"{rename}0": "web"}) == "web"
    assert name_of({}) == ""


@pytest.mark.parametrize("text", ["lisafs:none", "lisafs:memory", "none:memory:size=1m"])
def test_layers_are_written_as_they_are_read(text: str) -> None:
    assert str(GoferMountConfiguration.parse(text)) == text


@pytest.mark.parametrize("text", ["", "none:none", "lisafs", "lisafs:x", "x:none", "lisafs:none:3"])
def test_layers_that_are_none(text: str) -> None:
    with pytest.raises(RunscError):
        GoferMountConfiguration.parse(text)


def test_hints_name_volumes_of_the_pod() -> None:
    prefix = "dev.gvisor.spec.mount.cache."
    hints = {f"{prefix}source": "/v", f"{prefix}type": "tmpfs", f"{prefix}share": "pod"}
    assert SharedMounts(hints).find("/v") is not None
    assert SharedMounts(hints | {f"{prefix}share": "container"}).find("/v") is None
    with pytest.raises(RunscError, match="incomplete"):
        SharedMounts({f"{prefix}source": "/v"})
