"""Sessions and process groups: credentials(7), setpgid(2), setsid(2).

A session owns process groups and at most one controlling terminal; a process group owns thread
groups.  Both exist as long as they have members.
"""

from runsc_py.sentry.kernel.pid_namespace import PidNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.signals import SignalInfo
    from runsc_py.sentry.kernel.thread_group import ThreadGroup


class Session:
    """A session; `identifiers` are those its leader had when it was made."""

    __slots__ = ("groups", "has_outside_parent", "identifiers", "leader", "terminal")

    def __init__(self, leader: "ThreadGroup") -> None:
        self.leader: ThreadGroup | None = leader
        self.identifiers = dict(leader.leader.identifiers)
        self.groups: set[ProcessGroup] = set()
        #: the controlling terminal (fs/devpts, fs/host_stdio), if any
        self.terminal: object | None = None
        #: its leader is the sandbox's first process, and whoever started the sandbox can continue
        #: what is stopped: its process group does not count as orphaned
        self.has_outside_parent = False
        for namespace, number in self.identifiers.items():
            namespace.sessions[number] = self

    def identifier_in(self, namespace: PidNamespace) -> int:
        """The session id as seen from a namespace; 0 from outside of it."""
        return self.identifiers.get(namespace, 0)


class ProcessGroup:
    """A process group; member thread groups keep it alive."""

    __slots__ = ("identifiers", "members", "session")

    def __init__(self, session: Session, founder: "ThreadGroup") -> None:
        self.session = session
        self.identifiers = dict(founder.leader.identifiers)
        self.members: set[ThreadGroup] = set()
        session.groups.add(self)
        for namespace, number in self.identifiers.items():
            namespace.process_groups[number] = self

    def identifier_in(self, namespace: PidNamespace) -> int:
        """The process group id as seen from a namespace; 0 from outside of it."""
        return self.identifiers.get(namespace, 0)

    def add(self, member: "ThreadGroup") -> None:
        """Move a thread group here."""
        if member.process_group is self:
            return
        if member.process_group is not None:
            member.process_group.remove(member)
        self.members.add(member)
        member.process_group = self

    def remove(self, member: "ThreadGroup") -> None:
        """A member leaves; the last one takes the group, and maybe the session, with it."""
        self.members.discard(member)
        if self.members:
            return
        for namespace, number in self.identifiers.items():
            namespace.process_groups.pop(number, None)
        session = self.session
        session.groups.discard(self)
        if not session.groups:
            for namespace, number in session.identifiers.items():
                namespace.sessions.pop(number, None)

    def send_signal(self, info: "SignalInfo") -> None:
        """Send to every member (the terminal does)."""
        for member in list(self.members):
            member.send_signal(info)

    def is_orphaned(self) -> bool:
        """POSIX: no member has a parent in another group of the same session."""
        leader = self.session.leader
        if self.session.has_outside_parent and leader in self.members:
            return False
        for member in self.members:
            parent = member.parent
            if (
                parent is not None
                and not member.is_zombie
                and parent.process_group is not self
                and parent.session is self.session
            ):
                return False
        return True

    def has_stopped_member(self) -> bool:
        """Whether job control stopped one of the members."""
        return any(member.stop_signal for member in self.members)
