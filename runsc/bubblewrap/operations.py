"""What bubblewrap's options ask for: steps that fill the root, and what the program is to be."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Kinds of steps.
BIND, PROC, DEV, TMPFS, MQUEUE = "bind", "proc", "dev", "tmpfs", "mqueue"
DIRECTORY, FILE, DATA, SYMLINK, CHMOD = "dir", "file", "bind-data", "symlink", "chmod"
READ_ONLY = "remount-ro"

#: steps that put a file system on their destination
MOUNTS = frozenset((BIND, PROC, DEV, TMPFS, MQUEUE, DATA))


class Step:
    """One option: what it does, and where."""

    __slots__ = (
        "content", "destination", "devices", "has_overlay", "kind", "permissions", "read_only",
        "size", "source",
    )  # fmt: skip

    def __init__(self, kind: str, destination: str) -> None:
        self.kind = kind
        self.destination = destination
        #: of the host, absolute and without links; or what a symbolic link leads to
        self.source = ""
        self.content = b""
        #: None: as is usual for the kind
        self.permissions: int | None = None
        self.size: int | None = None
        self.read_only = False
        #: of a bind: what is written stays in memory
        self.has_overlay = False
        #: whether device nodes can be used
        self.devices = False


class Setup:
    """All steps, and whom the program runs as."""

    __slots__ = (
        "capabilities", "controls_terminal", "filters", "has_directory", "has_users", "gid",
        "nested_users", "steps", "uid",
    )  # fmt: skip

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.uid = self.gid = 0
        #: whether there are no users but the program's own: others are nobody
        self.has_users = False
        #: whether programs may make user namespaces
        self.nested_users = True
        #: None: all for uid 0, none for others
        self.capabilities: int | None = None
        #: classic BPF, as prctl(PR_SET_SECCOMP) takes it, the oldest first
        self.filters: list[bytes] = []
        self.controls_terminal = True
        #: whether the working directory was named
        self.has_directory = False

    def visible_steps(self) -> "Sequence[Step]":
        """From the last one on that fills `/` itself: what came before is hidden by it."""
        for index in range(len(self.steps) - 1, -1, -1):
            step = self.steps[index]
            if step.destination == "/" and step.kind in MOUNTS:
                return self.steps[index:]
        return self.steps

    def binds(self) -> "list[Step]":
        """Those that show something of the host, in the order in which the gofer serves them."""
        return [step for step in self.visible_steps() if step.kind == BIND]
