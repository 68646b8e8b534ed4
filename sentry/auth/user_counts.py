"""What users have of counted things: Linux's ucounts.

A thing counts for its user in the user namespace where it was made, for the owner of that
namespace in the one above, and so on: nobody gets more by making a namespace.  The limits of
namespaces are those of /proc/sys/user (namespaces(7)), the others resource limits (getrlimit(2)).
"""

from collections.abc import Iterator

from runsc_py.sentry.errors import ENOSPC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.auth.user_namespace import UserNamespace

#: the counted resources, by their RLIMIT_* numbers
Resource = int
#: a resource, or the name of a kind of namespace (or of what inotify has)
Kind = Resource | str


class Charge:
    """Some of a counted thing; given back when nobody refers to this object any more."""

    __slots__ = ("_amount", "_kind", "_namespace", "_uid")

    def __init__(self, namespace: "UserNamespace", uid: int, kind: Kind, amount: int) -> None:
        self._namespace = namespace
        self._uid = uid
        self._kind = kind
        self._amount = amount
        _add(namespace, uid, kind, amount)

    def __del__(self) -> None:
        _add(self._namespace, self._uid, self._kind, -self._amount)


def count(namespace: "UserNamespace", uid: int, kind: Kind) -> int:
    """How much a user has there and in the namespaces below."""
    return namespace.counts.get((uid, kind), 0)


def charge_one(owner: "UserNamespace", uid: int, kind: str) -> Charge:
    """One more namespace of a kind, inotify instance or inotify watch.  Errors: ENOSPC."""
    for namespace, user in _accounts(owner, uid):
        if count(namespace, user, kind) >= namespace.maximum(kind):
            raise ENOSPC
    return Charge(owner, uid, kind, 1)


def charge_resource(
    namespace: "UserNamespace", uid: int, resource: Resource, amount: int, limit: int
) -> Charge | None:
    """More of a resource; None when that is more than `limit`.

    In the namespaces above, the limit is that of who made the namespace.
    """
    for account, user in _accounts(namespace, uid):
        if count(account, user, resource) + amount > limit:
            return None
        limit = account.resource_limits.get(resource, limit)
    return Charge(namespace, uid, resource, amount)


def _accounts(namespace: "UserNamespace", uid: int) -> "Iterator[tuple[UserNamespace, int]]":
    """The user, the owner of the namespace, the owner of the one above, …"""
    account: UserNamespace | None = namespace
    while account is not None:
        yield account, uid
        uid = account.owner_uid
        account = account.parent


def _add(namespace: "UserNamespace", uid: int, kind: Kind, amount: int) -> None:
    for account, user in _accounts(namespace, uid):
        total = count(account, user, kind) + amount
        if total:
            account.counts[user, kind] = total
        else:
            account.counts.pop((user, kind), None)
