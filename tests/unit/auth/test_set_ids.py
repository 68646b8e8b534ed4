"""setuid(2) and its relatives against the host's kernel: the same calls, the same ids.

The host is asked in a child process; only what an unprivileged user may do needs no root, so the
privileged half is checked against the rules of capabilities(7) instead.
"""

import ctypes
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runsc_py.sentry.auth import set_ids
from runsc_py.sentry.auth.capabilities import (
    ALL_CAPABILITIES,
    CAP_SETGID,
    CAP_SETUID,
    FILE_SYSTEM_CAPABILITIES,
    SECBIT_KEEP_CAPS,
    SECBIT_NO_SETUID_FIXUP,
    capability_set,
)
from runsc_py.sentry.auth.credentials import Credentials, root_credentials, user_credentials
from runsc_py.sentry.auth.user_namespace import UserNamespace
from runsc_py.sentry.errors import EPERM

NAMESPACE = UserNamespace.initial()
USER = user_credentials(NAMESPACE, 1000, 1000)
ROOT = root_credentials(NAMESPACE)


def uids(credentials: Credentials) -> tuple[int, int, int, int]:
    return credentials.uid, credentials.euid, credentials.suid, credentials.fsuid


def test_a_user_moves_between_its_own_ids_only() -> None:
    mixed = USER.replace(euid=0, suid=5, fsuid=0)
    assert uids(set_ids.set_uid(mixed, 5)) == (1000, 5, 5, 5)
    assert uids(set_ids.set_uid(mixed, 1000)) == (1000, 1000, 5, 1000)
    with pytest.raises(EPERM):
        set_ids.set_uid(mixed, 7)
    with pytest.raises(EPERM):
        set_ids.set_resuid(USER, None, 1001, None)
    with pytest.raises(EPERM):
        set_ids.set_reuid(mixed, 5, None)  # the saved id is good for the effective one only


def test_setreuid_saves_the_effective_id() -> None:
    """When the real id is set, or the effective one to something that is not the real id."""
    old = ROOT.replace(uid=1, euid=0, suid=0, fsuid=0)
    assert set_ids.set_reuid(old, None, 2).suid == 2
    assert set_ids.set_reuid(old, None, 1).suid == 0
    assert set_ids.set_reuid(old, 3, None).suid == 0
    assert set_ids.set_reuid(old, 3, 4).suid == 4


def test_leaving_root_drops_capabilities() -> None:
    after = set_ids.set_uid(ROOT, 1000)
    assert uids(after) == (1000, 1000, 1000, 1000)
    assert (after.permitted, after.effective) == (0, 0)
    assert after.bounding == ALL_CAPABILITIES


def test_keep_caps_keeps_permitted_but_not_effective() -> None:
    after = set_ids.set_uid(ROOT.replace(securebits=SECBIT_KEEP_CAPS), 1000)
    assert (after.permitted, after.effective) == (ALL_CAPABILITIES, 0)


def test_ambient_capabilities_go_with_root_even_with_keep_caps() -> None:
    ambient = ROOT.replace(securebits=SECBIT_KEEP_CAPS, inheritable=1, ambient=1)
    assert set_ids.set_uid(ambient, 1000).ambient == 0


def test_no_setuid_fixup_changes_no_capabilities() -> None:
    after = set_ids.set_uid(ROOT.replace(securebits=SECBIT_NO_SETUID_FIXUP), 1000)
    assert (after.permitted, after.effective) == (ALL_CAPABILITIES, ALL_CAPABILITIES)


def test_effective_set_follows_the_effective_id() -> None:
    lowered = set_ids.set_resuid(ROOT, None, 1000, None)
    assert (lowered.permitted, lowered.effective) == (ALL_CAPABILITIES, 0)
    raised = set_ids.set_resuid(lowered, None, 0, None)
    assert raised.effective == ALL_CAPABILITIES


def test_setfsuid_takes_the_file_capabilities_along() -> None:
    lowered = set_ids.set_fsuid(ROOT, 1000)
    assert lowered.effective == ALL_CAPABILITIES & ~FILE_SYSTEM_CAPABILITIES
    assert set_ids.set_fsuid(lowered, 0).effective == ALL_CAPABILITIES
    assert set_ids.set_fsuid(USER, 0) is USER  # refused, silently


def test_groups_need_cap_setgid_whatever_the_uid() -> None:
    holder = USER.replace(
        permitted=capability_set(CAP_SETGID), effective=capability_set(CAP_SETGID)
    )
    assert set_ids.set_groups(holder, [9, 3]).groups == (3, 9)
    assert set_ids.set_gid(holder, 7).sgid == 7
    with pytest.raises(EPERM):
        set_ids.set_uid(holder, 7)
    without = ROOT.replace(effective=ALL_CAPABILITIES & ~capability_set(CAP_SETGID, CAP_SETUID))
    with pytest.raises(EPERM):
        set_ids.set_groups(without, [])


IDS = st.sampled_from([None, 0, 1000, 1001])


@given(st.tuples(IDS, IDS, IDS))
def test_setresgid_is_all_or_nothing(wanted: tuple[int | None, int | None, int | None]) -> None:
    """Every id must be one of the present ones."""
    old = USER.replace(egid=1001, fsgid=1001)
    if all(gid in (None, 1000, 1001) for gid in wanted):
        new = set_ids.set_resgid(old, *wanted)
        assert new.fsgid == new.egid
        assert new.gid == (old.gid if wanted[0] is None else wanted[0])
    else:
        with pytest.raises(EPERM):
            set_ids.set_resgid(old, *wanted)


@pytest.mark.skipif(os.geteuid() != 0, reason="the host only lets root change ids freely")
@given(st.lists(st.tuples(IDS, IDS, IDS), min_size=1, max_size=4))
def test_sequences_of_setresuid_as_on_the_host(
    steps: list[tuple[int | None, int | None, int | None]],
) -> None:
    """The same sequence in a forked child and on credentials gives the same results and ids."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        libc = ctypes.CDLL(None, use_errno=True)
        lines = []
        for step in steps:
            result = libc.setresuid(*(-1 if uid is None else uid for uid in step))
            lines.append(f"{result} {os.getresuid()}")
        os.write(writer, "\n".join(lines).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as stream:
        host = stream.read().splitlines()
    os.waitpid(child, 0)
    credentials = ROOT
    for step, expected in zip(steps, host, strict=True):
        try:
            credentials = set_ids.set_resuid(credentials, *step)
            result = 0
        except EPERM:
            result = -1
        assert f"{result} {uids(credentials)[:3]}" == expected
