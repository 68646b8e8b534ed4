"""Steps of starting a container that need no kernel: rights, limits, environment, layers, hints."""

import resource

import pytest

from runsc_py.runsc.config import Config
from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.loader.gofer_mounts import GoferMountConfiguration
from runsc_py.runsc.loader.hints import MountHint, RootHint, mount_hints
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
    found = SharedMounts(hints).hint("/v")
    assert found is not None and found.is_memory and found.is_mounted_once
    assert SharedMounts(hints).hint("/w") is None
    bound = MountHint("a", {"source": "/v", "type": "bind", "share": "container"})
    assert not bound.is_memory and not bound.is_mounted_once
    with pytest.raises(RunscError, match="incomplete"):
        SharedMounts({f"{prefix}source": "/v"})


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({"mount.a.source": ""}, "invalid mount annotation"),
        ({"mount.a.type": "erofs"}, "invalid mount annotation"),
        ({"mount.a.share": "all"}, "invalid mount annotation"),
        ({"mount.a.directfs": "on"}, "invalid mount annotation"),
        ({"mount.a.colour": "red"}, "invalid mount annotation"),
        ({"mount.source": "/v"}, "invalid mount annotation"),
        ({"mount..source": "/v"}, "invalid mount annotation"),
        (
            {f"mount.{name}.{field}": value for name in "ab" for field, value in
             (("source", "/v"), ("type", "bind"), ("share", "pod"))},
            "mounts 'a' and 'b' have the same source '/v'",
        ),
        ({"rootfs.source": "relative"}, "invalid rootfs annotation"),
        ({"rootfs.type": "erofs"}, "invalid rootfs annotation"),
        ({"rootfs.overlay": "dir=/tmp"}, "invalid rootfs annotation"),
        ({"rootfs.options": "size=x"}, "use none, or root:"),
        ({"rootfs.options": "mode=1"}, "invalid rootfs annotation"),
        ({"rootfs.directfs": "on"}, "invalid rootfs annotation"),
    ],
)  # fmt: skip
def test_hints_that_are_none(annotations: dict[str, str], message: str) -> None:
    """Named with what was given."""
    whole = {f"dev.gvisor.spec.{key}": value for key, value in annotations.items()}
    with pytest.raises(RunscError, match=message):
        mount_hints(whole)
        RootHint(whole)


def test_hints_of_a_root_directory() -> None:
    """They come before the options, but for a directory that only the options name."""
    prefix = "dev.gvisor.spec.rootfs."
    hint = RootHint({f"{prefix}overlay": "self", f"{prefix}options": "size=1m"})
    overlay = hint.overlay(Config(overlay2="root:dir=/var/tmp,size=2m"))
    assert (overlay.medium, overlay.directory, overlay.size) == ("self", "", "1m")
    overlay = RootHint({}).overlay(Config(overlay2="all:dir=/var/tmp"))
    assert (overlay.medium, overlay.directory) == ("dir", "/var/tmp")
    none = RootHint({f"{prefix}overlay": "none"}).overlay(Config(overlay2="root:self"))
    assert none.medium == "none"
