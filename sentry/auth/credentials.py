"""Who a task is: credentials(7), capabilities(7).

A `Credentials` object never changes and may be shared; a task gets another one as a whole
(`task.credentials = credentials.replace(euid=0)`), as Linux's commit_creds does.  Ids are
global ids (see `user_namespace.py`).
"""

from __future__ import annotations

from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES, CAP_DAC_OVERRIDE
from runsc_py.sentry.auth.user_namespace import UserNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final


class Credentials:
    """User and group ids, capability sets and securebits.  Immutable."""

    __slots__ = (
        "ambient",
        "bounding",
        "effective",
        "egid",
        "euid",
        "fsgid",
        "fsuid",
        "gid",
        "groups",
        "inheritable",
        "overrides_permissions",
        "permitted",
        "securebits",
        "sgid",
        "suid",
        "uid",
        "user_namespace",
    )

    def __init__(
        self,
        *,
        uid: int,
        gid: int,
        user_namespace: UserNamespace,
        euid: int | None = None,
        suid: int | None = None,
        fsuid: int | None = None,
        egid: int | None = None,
        sgid: int | None = None,
        fsgid: int | None = None,
        groups: tuple[int, ...] = (),
        permitted: int = 0,
        effective: int = 0,
        inheritable: int = 0,
        bounding: int = ALL_CAPABILITIES,
        ambient: int = 0,
        securebits: int = 0,
    ) -> None:
        """Ids that are not given are the real ones."""
        self.uid: Final = uid
        self.euid: Final = uid if euid is None else euid
        self.suid: Final = uid if suid is None else suid
        self.fsuid: Final = self.euid if fsuid is None else fsuid
        self.gid: Final = gid
        self.egid: Final = gid if egid is None else egid
        self.sgid: Final = gid if sgid is None else sgid
        self.fsgid: Final = self.egid if fsgid is None else fsgid
        #: supplementary groups, sorted
        self.groups: Final = groups
        self.user_namespace: Final = user_namespace
        self.permitted: Final = permitted
        self.effective: Final = effective
        self.inheritable: Final = inheritable
        self.bounding: Final = bounding
        self.ambient: Final = ambient
        #: SECBIT_*
        self.securebits: Final = securebits
        #: CAP_DAC_OVERRIDE over everything: permissions are only asked whether a file is executable
        self.overrides_permissions: Final = bool(
            effective >> CAP_DAC_OVERRIDE & 1 and user_namespace.parent is None
        )

    def replace(self, **changes: Any) -> Credentials:
        """The same with the named attributes changed; everything else stays, also unnamed ids."""
        for name in self.__slots__:
            if name not in changes and name != "overrides_permissions":
                changes[name] = getattr(self, name)
        return Credentials(**changes)

    def has_capability(self, capability: int, user_namespace: UserNamespace | None = None) -> bool:
        """Whether the effective set grants `capability` over `user_namespace`.

        Without a namespace the initial one is meant (Linux's capable()): what is not bound to
        a namespace must not be granted to the root of a child namespace.
        """
        own = self.user_namespace
        if user_namespace is own or (user_namespace is None and own.parent is None):
            return bool(self.effective >> capability & 1)
        namespace = user_namespace
        while namespace is not None and namespace.level > own.level:
            if namespace.parent is own and namespace.owner_uid == self.euid:
                return True
            namespace = namespace.parent
            if namespace is own:
                return bool(self.effective >> capability & 1)
        return False

    def has_capability_over_inode(self, capability: int, uid: int, gid: int) -> bool:
        """The same for an inode with these owners: they must be mapped in the own namespace."""
        own = self.user_namespace
        return bool(
            self.effective >> capability & 1
            and own.uid_map.from_global(uid) is not None
            and own.gid_map.from_global(gid) is not None
        )

    def in_group(self, gid: int) -> bool:
        """Whether the file system group or a supplementary group is `gid`."""
        return gid == self.fsgid or gid in self.groups

    def in_effective_group(self, gid: int) -> bool:
        """Whether the effective group or a supplementary group is `gid`."""
        return gid == self.egid or gid in self.groups


def root_credentials(user_namespace: UserNamespace) -> Credentials:
    """The superuser of a namespace, with every capability: what the first process gets."""
    return Credentials(
        uid=0,
        gid=0,
        user_namespace=user_namespace,
        permitted=ALL_CAPABILITIES,
        effective=ALL_CAPABILITIES,
    )


def user_credentials(
    user_namespace: UserNamespace,
    uid: int,
    gid: int,
    groups: tuple[int, ...] = (),
    capabilities: int = ALL_CAPABILITIES,
) -> Credentials:
    """A process started as a user: uid 0 has `capabilities`, the others have none.

    `capabilities` is the bounding set in any case.
    """
    held = capabilities if uid == 0 else 0
    return Credentials(
        uid=uid,
        gid=gid,
        groups=tuple(sorted(groups)),
        user_namespace=user_namespace,
        permitted=held,
        effective=held,
        bounding=capabilities,
    )
