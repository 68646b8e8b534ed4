"""What setuid(2) and its relatives do to credentials.

Ids are global; None means "leave it" (-1 in the call).  Every function returns new credentials
or raises EPERM.  capabilities(7), "Effect of user ID changes on capabilities".
"""

from runsc_py.sentry.auth.capabilities import (
    CAP_SETGID,
    CAP_SETUID,
    FILE_SYSTEM_CAPABILITIES,
    SECBIT_KEEP_CAPS,
    SECBIT_NO_SETUID_FIXUP,
)
from runsc_py.sentry.auth.credentials import Credentials
from runsc_py.sentry.errors import EPERM


def _may_set(credentials: Credentials, capability: int) -> bool:
    return credentials.has_capability(capability, credentials.user_namespace)


def _fix_capabilities(old: Credentials, new: Credentials) -> Credentials:
    """Drop and regain capabilities as root is left and entered."""
    if old.securebits & SECBIT_NO_SETUID_FIXUP:
        return new
    root = old.user_namespace.uid_map.to_global(0)
    permitted, effective, ambient = new.permitted, new.effective, new.ambient
    had_root = root in (old.uid, old.euid, old.suid)
    if had_root and root not in (new.uid, new.euid, new.suid):
        if not old.securebits & SECBIT_KEEP_CAPS:
            permitted = effective = 0
        ambient = 0
    if old.euid == root != new.euid:
        effective = 0
    if old.euid != root == new.euid:
        effective = permitted
    return new.replace(permitted=permitted, effective=effective, ambient=ambient)


def set_uid(old: Credentials, uid: int) -> Credentials:
    """setuid(2)."""
    if _may_set(old, CAP_SETUID):
        new = old.replace(uid=uid, suid=uid, euid=uid, fsuid=uid)
    elif uid in (old.uid, old.suid):
        new = old.replace(euid=uid, fsuid=uid)
    else:
        raise EPERM
    return _fix_capabilities(old, new)


def set_reuid(old: Credentials, uid: int | None, euid: int | None) -> Credentials:
    """setreuid(2)."""
    privileged = _may_set(old, CAP_SETUID)
    if uid is not None and not privileged and uid not in (old.uid, old.euid):
        raise EPERM
    if euid is not None and not privileged and euid not in (old.uid, old.euid, old.suid):
        raise EPERM
    new_uid = old.uid if uid is None else uid
    new_euid = old.euid if euid is None else euid
    new_suid = old.suid
    if uid is not None or (euid is not None and euid != old.uid):
        new_suid = new_euid
    new = old.replace(uid=new_uid, euid=new_euid, suid=new_suid, fsuid=new_euid)
    return _fix_capabilities(old, new)


def set_resuid(
    old: Credentials, uid: int | None, euid: int | None, suid: int | None
) -> Credentials:
    """setresuid(2)."""
    if not _may_set(old, CAP_SETUID):
        for wanted in (uid, euid, suid):
            if wanted is not None and wanted not in (old.uid, old.euid, old.suid):
                raise EPERM
    new_euid = old.euid if euid is None else euid
    new = old.replace(
        uid=old.uid if uid is None else uid,
        euid=new_euid,
        suid=old.suid if suid is None else suid,
        fsuid=new_euid,
    )
    return _fix_capabilities(old, new)


def set_fsuid(old: Credentials, fsuid: int) -> Credentials:
    """setfsuid(2); what is not permitted leaves everything as it was."""
    permitted = fsuid in (old.uid, old.euid, old.suid, old.fsuid) or _may_set(old, CAP_SETUID)
    if not permitted or fsuid == old.fsuid:
        return old
    effective = old.effective
    if not old.securebits & SECBIT_NO_SETUID_FIXUP:
        root = old.user_namespace.uid_map.to_global(0)
        if old.fsuid == root:
            effective &= ~FILE_SYSTEM_CAPABILITIES
        elif fsuid == root:
            effective |= old.permitted & FILE_SYSTEM_CAPABILITIES
    return old.replace(fsuid=fsuid, effective=effective)


def set_gid(old: Credentials, gid: int) -> Credentials:
    """setgid(2)."""
    if _may_set(old, CAP_SETGID):
        return old.replace(gid=gid, sgid=gid, egid=gid, fsgid=gid)
    if gid in (old.gid, old.sgid):
        return old.replace(egid=gid, fsgid=gid)
    raise EPERM


def set_regid(old: Credentials, gid: int | None, egid: int | None) -> Credentials:
    """setregid(2)."""
    privileged = _may_set(old, CAP_SETGID)
    if gid is not None and not privileged and gid not in (old.gid, old.egid):
        raise EPERM
    if egid is not None and not privileged and egid not in (old.gid, old.egid, old.sgid):
        raise EPERM
    new_gid = old.gid if gid is None else gid
    new_egid = old.egid if egid is None else egid
    new_sgid = old.sgid
    if gid is not None or (egid is not None and egid != old.gid):
        new_sgid = new_egid
    return old.replace(gid=new_gid, egid=new_egid, sgid=new_sgid, fsgid=new_egid)


def set_resgid(
    old: Credentials, gid: int | None, egid: int | None, sgid: int | None
) -> Credentials:
    """setresgid(2)."""
    if not _may_set(old, CAP_SETGID):
        for wanted in (gid, egid, sgid):
            if wanted is not None and wanted not in (old.gid, old.egid, old.sgid):
                raise EPERM
    new_egid = old.egid if egid is None else egid
    return old.replace(
        gid=old.gid if gid is None else gid,
        egid=new_egid,
        sgid=old.sgid if sgid is None else sgid,
        fsgid=new_egid,
    )


def set_fsgid(old: Credentials, fsgid: int) -> Credentials:
    """setfsgid(2); what is not permitted leaves everything as it was."""
    if fsgid in (old.gid, old.egid, old.sgid, old.fsgid) or _may_set(old, CAP_SETGID):
        return old.replace(fsgid=fsgid)
    return old


def set_groups(old: Credentials, groups: list[int]) -> Credentials:
    """setgroups(2).  Raises EPERM."""
    namespace = old.user_namespace
    may = namespace.setgroups_allowed and namespace.gid_map.extents
    if not may or not _may_set(old, CAP_SETGID):
        raise EPERM
    return old.replace(groups=tuple(sorted(groups)))
