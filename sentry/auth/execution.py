"""What execve(2) does to credentials: set-id bits, file capabilities, ambient capabilities.

The rules of capabilities(7), "Transformation of capabilities during execve()", in the order
of Linux's bprm_creds_from_file (security/commoncap.c).
"""

from runsc_py.sentry.auth.capabilities import (
    CAP_SETUID,
    SECBIT_KEEP_CAPS,
    SECBIT_NOROOT,
    FileCapabilities,
    is_subset,
)
from runsc_py.sentry.auth.credentials import Credentials
from runsc_py.sentry.errors import EPERM
from runsc_py.sentry.vfs.attributes import S_ISGID, S_ISUID

_S_IXGRP = 0o010


def _effective_ids(
    old: Credentials, mode: int, uid: int, gid: int, honour_set_id: bool
) -> tuple[int, int]:
    """The effective ids that the file's set-id bits give."""
    euid, egid = old.euid, old.egid
    if not honour_set_id or not mode & (S_ISUID | S_ISGID):
        return euid, egid
    namespace = old.user_namespace
    if namespace.uid_map.from_global(uid) is None or namespace.gid_map.from_global(gid) is None:
        return euid, egid
    if mode & S_ISUID:
        euid = uid
    # Set-group-ID without group execute permission once meant mandatory locking.
    if mode & (S_ISGID | _S_IXGRP) == S_ISGID | _S_IXGRP:
        egid = gid
    return euid, egid


def _permitted_by_file(
    old: Credentials, file: FileCapabilities | None, euid: int
) -> tuple[int, bool]:
    """The new permitted set and whether it becomes effective at once.  Raises EPERM."""
    permitted, effective = 0, False
    if file is not None:
        permitted = (old.bounding & file.permitted) | (old.inheritable & file.inheritable)
        effective = file.effective
        # A program that does not know capabilities must get all it was marked with, or not run.
        if effective and not is_subset(file.permitted, permitted):
            raise EPERM
    root = old.user_namespace.uid_map.to_global(0)
    if old.securebits & SECBIT_NOROOT or root is None:
        return permitted, effective
    if file is not None and euid == root != old.uid:
        return permitted, effective  # set-user-ID root with file capabilities: these win
    if root in (euid, old.uid):
        permitted = old.bounding | old.inheritable
    return permitted, effective or euid == root


def credentials_after_exec(
    old: Credentials,
    *,
    mode: int,
    uid: int,
    gid: int,
    file_capabilities: FileCapabilities | None = None,
    no_new_privileges: bool = False,
    nosuid: bool = False,
    unsafe: bool = False,
) -> tuple[Credentials, bool]:
    """Credentials after executing a file with this mode and these (global) owners.

    `nosuid`: the mount ignores set-id bits and file capabilities.  `unsafe`: somebody else shares
    the file system context, or traces the task, without the right to.  Returns the credentials
    and whether the program runs in secure mode (AT_SECURE).  Raises EPERM when a file with the
    effective bit cannot get all of its capabilities.
    """
    file = None if nosuid else file_capabilities
    euid, egid = _effective_ids(old, mode, uid, gid, not (nosuid or no_new_privileges))
    permitted, becomes_effective = _permitted_by_file(old, file, euid)
    is_set_id = euid != old.uid or egid != old.gid
    if (no_new_privileges or unsafe) and (is_set_id or not is_subset(permitted, old.permitted)):
        # No more than the caller had, and maybe less.
        if no_new_privileges or not old.has_capability(CAP_SETUID, old.user_namespace):
            euid, egid = old.uid, old.gid
        permitted &= old.permitted
    ambient = 0 if file is not None or is_set_id else old.ambient
    permitted |= ambient
    effective = permitted if becomes_effective else ambient
    new = old.replace(
        euid=euid,
        suid=euid,
        fsuid=euid,
        egid=egid,
        sgid=egid,
        fsgid=egid,
        permitted=permitted,
        effective=effective,
        ambient=ambient,
        securebits=old.securebits & ~SECBIT_KEEP_CAPS,
    )
    is_real_root = old.uid == old.user_namespace.uid_map.to_global(0)
    gained = becomes_effective or not is_subset(permitted, ambient)
    return new, is_set_id or (not is_real_root and gained)
