"""execve's effect on credentials: the table of capabilities(7)."""

import pytest

from runsc_py.sentry.auth.capabilities import (
    ALL_CAPABILITIES,
    CAP_NET_RAW,
    CAP_SETPCAP,
    SECBIT_KEEP_CAPS,
    SECBIT_NOROOT,
    FileCapabilities,
    capability_set,
)
from runsc_py.sentry.auth.credentials import Credentials, root_credentials, user_credentials
from runsc_py.sentry.auth.execution import credentials_after_exec
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.errors import EPERM

NAMESPACE = UserNamespace.initial()
USER = user_credentials(NAMESPACE, 1000, 1000)
ROOT = root_credentials(NAMESPACE)
NET_RAW = capability_set(CAP_NET_RAW)


def run(
    old: Credentials,
    mode: int = 0o755,
    *,
    uid: int = 0,
    gid: int = 0,
    file: FileCapabilities | None = None,
    **options: bool,
) -> tuple[Credentials, bool]:
    return credentials_after_exec(
        old, mode=mode, uid=uid, gid=gid, file_capabilities=file, **options
    )


def test_plain_program_of_root_has_all_of_the_bounding_set() -> None:
    bounded = ROOT.replace(bounding=NET_RAW, permitted=0, effective=0)
    new, secure = run(bounded)
    assert (new.permitted, new.effective) == (NET_RAW, NET_RAW)
    assert not secure


def test_plain_program_of_a_user_has_nothing() -> None:
    new, secure = run(USER.replace(permitted=NET_RAW, effective=NET_RAW))
    assert (new.permitted, new.effective, secure) == (0, 0, False)


def test_set_user_id_root() -> None:
    new, secure = run(USER, 0o4755)
    assert (new.uid, new.euid, new.suid, new.fsuid) == (1000, 0, 0, 0)
    assert (new.permitted, new.effective) == (ALL_CAPABILITIES, ALL_CAPABILITIES)
    assert secure


@pytest.mark.parametrize("option", ["no_new_privileges", "nosuid"])
def test_set_user_id_is_ignored(option: str) -> None:
    new, secure = run(USER, 0o6755, gid=5, **{option: True})
    assert (new.euid, new.egid, new.permitted, secure) == (1000, 1000, 0, False)


def test_a_traced_user_gains_nothing() -> None:
    new, _ = run(USER, 0o4755, unsafe=True)
    assert (new.euid, new.permitted) == (1000, 0)


def test_set_group_id_needs_group_execute() -> None:
    assert run(USER, 0o2755, gid=5)[0].egid == 5
    assert run(USER, 0o2745, gid=5)[0].egid == 1000


def test_file_capabilities() -> None:
    file = FileCapabilities(NET_RAW, 0, effective=True)
    new, secure = run(USER, file=file)
    assert (new.permitted, new.effective, secure) == (NET_RAW, NET_RAW, True)
    new, _ = run(USER, file=FileCapabilities(NET_RAW, 0, effective=False))
    assert (new.permitted, new.effective) == (NET_RAW, 0)


def test_file_capabilities_outside_the_bounding_set_refuse_to_run() -> None:
    with pytest.raises(EPERM):
        run(USER.replace(bounding=0), file=FileCapabilities(NET_RAW, 0, effective=True))


def test_inheritable_capabilities_meet_the_files() -> None:
    old = USER.replace(inheritable=NET_RAW)
    new, _ = run(old, file=FileCapabilities(0, NET_RAW, effective=True))
    assert new.permitted == NET_RAW
    assert new.inheritable == NET_RAW


def test_ambient_capabilities_stay_for_a_plain_program_only() -> None:
    old = USER.replace(permitted=NET_RAW, inheritable=NET_RAW, ambient=NET_RAW)
    new, secure = run(old)
    assert (new.permitted, new.effective, new.ambient) == (NET_RAW, NET_RAW, NET_RAW)
    assert not secure
    assert run(old, file=FileCapabilities(0, 0, effective=False))[0].ambient == 0
    assert run(old, 0o4755, uid=7)[0].ambient == 0


def test_noroot_makes_root_an_ordinary_user() -> None:
    new, _ = run(ROOT.replace(securebits=SECBIT_NOROOT))
    assert (new.permitted, new.effective) == (0, 0)


def test_set_user_id_root_with_file_capabilities_gets_only_these() -> None:
    new, _ = run(USER, 0o4755, file=FileCapabilities(NET_RAW, 0, effective=True))
    assert (new.euid, new.permitted) == (0, NET_RAW)


def test_keep_caps_ends() -> None:
    old = USER.replace(securebits=SECBIT_KEEP_CAPS | SECBIT_NOROOT)
    assert run(old)[0].securebits == SECBIT_NOROOT


def test_attribute_formats() -> None:
    """vfs_cap_data of revisions 2 and 3; what is malformed grants nothing."""
    body = (1 << CAP_NET_RAW).to_bytes(4, "little") + bytes(4) + bytes(8)
    second = FileCapabilities.parse((0x02000001).to_bytes(4, "little") + body)
    assert second is not None
    assert (second.permitted, second.effective) == (NET_RAW, True)
    third = FileCapabilities.parse(
        (0x03000000).to_bytes(4, "little") + body + (99).to_bytes(4, "little")
    )
    assert third is not None
    assert (third.effective, third.root_uid) == (False, 99)
    assert FileCapabilities.parse(b"") is None
    assert FileCapabilities.parse((0x02000000).to_bytes(4, "little")) is None
    assert FileCapabilities.parse((0x07000000).to_bytes(4, "little") + body) is None


def test_capability_in_namespaces() -> None:
    """A namespace's owner has all of them in it; its root has none outside."""
    child = UserNamespace(NAMESPACE, owner_uid=1000, owner_gid=1000)
    assert USER.has_capability(CAP_SETPCAP, child)
    assert not USER.has_capability(CAP_SETPCAP)
    inside = root_credentials(child)
    assert inside.has_capability(CAP_SETPCAP, child)
    assert not inside.has_capability(CAP_SETPCAP)
    assert not inside.has_capability(CAP_SETPCAP, NAMESPACE)
    assert ROOT.has_capability(CAP_SETPCAP, child)
    stranger = user_credentials(NAMESPACE, 1001, 1001)
    assert not stranger.has_capability(CAP_SETPCAP, child)
