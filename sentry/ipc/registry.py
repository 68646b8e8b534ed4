"""What System V shared memory, semaphores and message queues have in common: sysvipc(7).

Objects of a kind live in a registry of the IPC namespace, found by key or by identifier.  An
identifier has the slot in its lower bits and a sequence number above, so that a stale one
does not name a newer object.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from runsc_py.sentry.abi.ipc import IPC_CREAT, IPC_EXCL, IPC_PERM, IPC_PRIVATE
from runsc_py.sentry.auth.capabilities import CAP_IPC_OWNER, CAP_SYS_ADMIN
from runsc_py.sentry.errors import EACCES, EEXIST, EIDRM, EINVAL, ENOENT, ENOSPC, EPERM

if TYPE_CHECKING:
    from runsc_py.sentry.auth.credentials import Credentials
    from runsc_py.sentry.kernel.task import Task

SLOTS = 32768
SEQUENCES = 65536
READ = 4
WRITE = 2


class IpcObject:
    """A segment, semaphore set or message queue."""

    __slots__ = (
        "change_time",
        "creator_gid",
        "creator_uid",
        "gid",
        "identifier",
        "key",
        "mode",
        "removed",
        "sequence",
        "uid",
        "user_namespace",
    )

    def __init__(self, task: "Task", key: int, mode: int) -> None:
        credentials = task.credentials
        #: that of the IPC namespace: whose capabilities count
        self.user_namespace = task.namespaces.ipc.user_namespace
        self.key = key
        self.identifier = -1
        self.sequence = 0
        self.uid = self.creator_uid = credentials.euid
        self.gid = self.creator_gid = credentials.egid
        self.mode = mode & 0o777
        #: seconds since the epoch
        self.change_time = now(task)
        #: IPC_RMID was done
        self.removed = False

    def charge(self) -> int:
        """What it takes of that of which all objects of its kind together may have only so much."""
        return 0

    def allows(self, credentials: "Credentials", access: int) -> bool:
        """Whether READ and WRITE bits of `access` are granted."""
        if credentials.euid in (self.uid, self.creator_uid):
            granted = self.mode >> 6
        elif any(
            gid in (self.gid, self.creator_gid) for gid in (credentials.egid, *credentials.groups)
        ):
            granted = self.mode >> 3
        else:
            granted = self.mode
        return not access & ~granted or credentials.has_capability(
            CAP_IPC_OWNER, self.user_namespace
        )

    def check(self, task: "Task", access: int) -> None:
        """Errors: EACCES."""
        if not self.allows(task.credentials, access):
            raise EACCES

    def check_owner(self, task: "Task") -> None:
        """IPC_SET and IPC_RMID.  Errors: EPERM."""
        credentials = task.credentials
        if credentials.euid not in (self.uid, self.creator_uid) and not (
            credentials.has_capability(CAP_SYS_ADMIN, self.user_namespace)
        ):
            raise EPERM

    def permissions(self, task: "Task", extra_mode: int = 0) -> bytes:
        """struct ipc64_perm, as a task sees it."""
        seen = task.credentials.user_namespace
        return IPC_PERM.pack(
            self.key,
            seen.uid_map.map_to_namespace(self.uid),
            seen.gid_map.map_to_namespace(self.gid),
            seen.uid_map.map_to_namespace(self.creator_uid),
            seen.gid_map.map_to_namespace(self.creator_gid),
            self.mode | extra_mode,
            self.sequence,
        )

    def set_permissions(self, task: "Task", raw: bytes) -> None:
        """IPC_SET: owner and mode of the structure that the guest gave.  Errors: EINVAL."""
        fields = IPC_PERM.as_dict(raw)
        seen = task.credentials.user_namespace
        uid, gid = seen.uid_map.to_global(fields["uid"]), seen.gid_map.to_global(fields["gid"])
        if uid is None or gid is None:
            raise EINVAL
        self.uid, self.gid = uid, gid
        self.mode = fields["mode"] & 0o777
        self.change_time = now(task)


T = TypeVar("T", bound=IpcObject)


class Registry(Generic[T]):
    """The objects of one kind in one IPC namespace."""

    __slots__ = (
        "__weakref__",
        "_lowest",
        "_sequence",
        "by_key",
        "limit",
        "next_identifier",
        "slots",
        "used",
    )

    def __init__(self, limit: int) -> None:
        #: how many there may be: msgmni and shmmni of proc_sys_kernel(5)
        self.limit = limit
        #: what the next object is to be called if that is free (msg_next_id); -1 for any
        self.next_identifier = -1
        self._sequence = 0
        #: no slot below this one is free
        self._lowest = 0
        self.slots: dict[int, T] = {}
        self.by_key: dict[int, T] = {}
        #: what all objects are charged with
        self.used = 0

    def find_or_make(
        self,
        task: "Task",
        key: int,
        flags: int,
        make: Callable[[], T],
        check: Callable[[T], None],
    ) -> int:
        """shmget(2) and its like; returns the identifier.

        `check` sees an object that exists and raises what is wrong with asking for it; `make`
        does so for a new one, and asks `check_space` last.
        Errors: ENOENT, EEXIST, EACCES, ENOSPC.
        """
        existing = self.by_key.get(key) if key != IPC_PRIVATE else None
        if existing is not None:
            if flags & IPC_CREAT and flags & IPC_EXCL:
                raise EEXIST
            check(existing)
            if not existing.allows(task.credentials, _asked(flags)):
                raise EACCES
            return existing.identifier
        if key != IPC_PRIVATE and not flags & IPC_CREAT:
            raise ENOENT
        return self._add(make())

    def check_space(self) -> None:
        """Before one is made.  Errors: ENOSPC."""
        if len(self.slots) >= self.limit:
            raise ENOSPC

    def _add(self, made: T) -> int:
        wanted, self.next_identifier = self.next_identifier, -1
        if wanted >= 0:
            slot = self._free_slot(wanted % SLOTS)
            made.sequence = wanted // SLOTS
        else:
            slot = self._lowest = self._free_slot(self._lowest)
            made.sequence = self._sequence
            self._sequence = (self._sequence + 1) % SEQUENCES
        made.identifier = made.sequence * SLOTS + slot
        self.slots[slot] = made
        self.used += made.charge()
        if made.key != IPC_PRIVATE:
            self.by_key[made.key] = made
        return made.identifier

    def _free_slot(self, first: int) -> int:
        """The first free slot from one on.  Errors: ENOSPC."""
        for slot in range(first, SLOTS):
            if slot not in self.slots:
                return slot
        raise ENOSPC

    def get(self, identifier: int) -> T:
        """Errors: EINVAL for none, EIDRM for one that is gone and whose slot is taken again."""
        found = self.slots.get(identifier % SLOTS) if identifier >= 0 else None
        if found is None:
            raise EINVAL
        if found.identifier != identifier:
            raise EIDRM
        return found

    def at_slot(self, slot: int) -> T:
        """SHM_STAT and its like go by slot; an identifier names its own.  Errors: EINVAL."""
        found = self.slots.get(slot % SLOTS) if slot >= 0 else None
        if found is None:
            raise EINVAL
        return found

    def forget_key(self, removed: T) -> None:
        """The object cannot be found by key any more (a segment that is still attached)."""
        if self.by_key.get(removed.key) is removed:
            del self.by_key[removed.key]
        removed.removed = True

    def remove(self, removed: T) -> None:
        """The object is gone."""
        self.forget_key(removed)
        slot = removed.identifier % SLOTS
        if self.slots.pop(slot, None) is not None:
            self.used -= removed.charge()
        self._lowest = min(self._lowest, slot)

    def highest_slot(self) -> int:
        """What the *_INFO commands return."""
        return max(self.slots, default=0)


def _asked(flags: int) -> int:
    """The rights that the mode bits of a get call ask for."""
    return (flags >> 6 | flags >> 3 | flags) & (READ | WRITE)


class LastUser:
    """The process that did something last: a number in each PID namespace, also when it is gone."""

    __slots__ = ("_identifiers",)

    def __init__(self, task: "Task | None" = None) -> None:
        self._identifiers = {} if task is None else task.thread_group.leader.identifiers

    def seen_by(self, task: "Task") -> int:
        """Its number; 0 when there was none, or none that the task could know."""
        return self._identifiers.get(task.pid_namespace, 0)


def now(task: "Task") -> int:
    """Seconds since the epoch."""
    return task.kernel.clock.realtime() // 1_000_000_000
