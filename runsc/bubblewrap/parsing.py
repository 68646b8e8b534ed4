"""bubblewrap's options, read in their order.  Raises RunscError with the words of bwrap(1)."""

import os

from runsc_py.runsc.arguments import DIRECTORY, FILE, TEXT, Option
from runsc_py.runsc.bubblewrap import operations
from runsc_py.runsc.bubblewrap.operations import Setup, Step
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import RunOptions, parse_host_name

#: descriptors are read up to here: a start is no place to fill the memory
LARGEST_CONTENT = 64 << 20
#: nesting of --args
MOST_ARGUMENTS = 9000


def _option(name: str, value: str, text: str, completes: str = TEXT) -> Option:
    return Option(f"--{name}", value, text, repeats=True, completes=completes)


ROOT = (
    _option("bind", "SRC DEST", "show SRC of the host at DEST, writable", DIRECTORY),
    _option("ro-bind", "SRC DEST", "the same, read-only", DIRECTORY),
    _option("dev-bind", "SRC DEST", "the same with devices: those of the sandbox", DIRECTORY),
    _option("bind-try", "SRC DEST", "nothing when there is no SRC", DIRECTORY),
    _option("ro-bind-try", "SRC DEST", "nothing when there is no SRC", DIRECTORY),
    _option("dev-bind-try", "SRC DEST", "nothing when there is no SRC", DIRECTORY),
    _option("bind-fd", "FD DEST", "the same of an open directory or file"),
    _option("ro-bind-fd", "FD DEST", "the same, read-only"),
    _option("remount-ro", "DEST", "make what is mounted at DEST read-only"),
    _option("proc", "DEST", "a new procfs"),
    _option("dev", "DEST", "a new /dev"),
    _option("tmpfs", "DEST", "an empty file system in memory"),
    _option("mqueue", "DEST", "a new mqueue"),
    _option("dir", "DEST", "make a directory"),
    _option("file", "FD DEST", "copy what FD has into a file"),
    _option("bind-data", "FD DEST", "the same, mounted on DEST"),
    _option("ro-bind-data", "FD DEST", "the same, read-only"),
    _option("symlink", "TARGET DEST", "make a symbolic link"),
    _option("chmod", "OCTAL PATH", "change permissions"),
    _option("perms", "OCTAL", "permissions of what the next option makes"),
    _option("size", "BYTES", "of the next --tmpfs"),
)
PROGRAM = (
    _option("chdir", "DIR", "working directory"),
    _option("setenv", "NAME VALUE", "set a variable"),
    _option("unsetenv", "NAME", "unset a variable"),
    Option("--clearenv", help="unset all but PWD"),
    Option("--uid", "UID", "in the sandbox; needs --unshare-user"),
    Option("--gid", "GID", "in the sandbox; needs --unshare-user"),
    Option("--hostname", "NAME", "in the sandbox; needs --unshare-uts"),
    _option("cap-add", "CAP", "give a capability, or ALL"),
    _option("cap-drop", "CAP", "take one away, or ALL"),
    Option("--seccomp", "FD", "a filter of system calls, as classic BPF"),
    _option("add-seccomp-fd", "FD", "one more"),
    Option("--new-session", help="without a controlling terminal"),
    Option("--die-with-parent", help="end when our parent does"),
    Option("--as-pid-1", help="accepted: the program always is"),
)
NAMESPACES = (
    Option("--unshare-all", help="all of the following"),
    Option("--share-net", help="but the host's network"),
    Option("--unshare-net", help="a loopback interface only"),
    Option("--unshare-user", help="for --uid and --gid"),
    Option("--unshare-user-try", help="the same"),
    Option("--unshare-uts", help="for --hostname"),
    *(
        Option(f"--unshare-{name}", help="always so")
        for name in ("ipc", "pid", "cgroup", "cgroup-try")
    ),
    Option("--disable-userns", help="no user namespaces inside; needs --unshare-user"),
)
CALLER = (
    Option("--args", "FD", "more options from FD, separated by NUL", repeats=True),
    Option("--info-fd", "FD", "gets a JSON document with our process"),
    Option("--json-status-fd", "FD", "the same, and another one with the exit status"),
    Option("--block-fd", "FD", "wait until there is something to read"),
    Option("--sync-fd", "FD", "keep it open until the end", completes=FILE),
)

#: what would have to be shared with processes outside, or guarded by the host's kernel
REFUSED = {
    "--userns": "a sandbox's user namespaces are its own",
    "--userns2": "a sandbox's user namespaces are its own",
    "--userns-block-fd": "a sandbox's user namespaces are its own",
    "--pidns": "a sandbox's PID namespaces are its own",
    "--assert-userns-disabled": "use --disable-userns",
    "--lock-file": "locks of the sandbox are not seen outside of it",
    "--exec-label": "SELinux labels are the host's",
    "--file-label": "SELinux labels are the host's",
}

_BINDS = {
    f"{prefix}bind{suffix}": (prefix, suffix)
    for prefix in ("", "ro-", "dev-")
    for suffix in ("", "-try", "-fd")
}
_NEW = {
    "proc": operations.PROC,
    "dev": operations.DEV,
    "tmpfs": operations.TMPFS,
    "mqueue": operations.MQUEUE,
    "dir": operations.DIRECTORY,
    "remount-ro": operations.READ_ONLY,
}
_WITH_CONTENT = {
    "file": operations.FILE,
    "bind-data": operations.DATA,
    "ro-bind-data": operations.DATA,
}


class CommandLine:
    """One command line, and what has become of it."""

    def __init__(self) -> None:
        self.setup = Setup()
        self.options = RunOptions([])
        self.options.keeps_home = True
        self.options.network = "host"
        #: names of options without steps that were given, with the last value
        self.given: dict[str, str] = {}
        self._arity = {
            option.names[0]: len(option.value.split())
            for option in (*ROOT, *PROGRAM, *NAMESPACES, *CALLER)
        }
        self._permissions: int | None = None
        self._size: int | None = None
        self._count = 0

    def parse(self, words: list[str]) -> None:
        """All of it, then what the options mean together.  Raises RunscError."""
        self.options.command = self._take(words)
        if not self.options.command:
            raise RunscError("No command specified; see runsc-py bwrap --help")
        if self._permissions is not None or self._size is not None:
            raise RunscError(
                "--perms and --size must be followed by an option that makes something"
            )
        self._apply()

    def _take(self, words: list[str]) -> list[str]:
        """Options up to the first word that is none; the rest."""
        rest = list(words)
        while rest and rest[0].startswith("-"):
            word = rest.pop(0)
            if word == "--":
                break
            if word in REFUSED:
                raise RunscError(f"{word} is not possible: {REFUSED[word]}")
            if word not in self._arity:
                raise RunscError(f"Unknown option {word}")
            count = self._arity[word]
            if len(rest) < count:
                raise RunscError(f"{word} takes {count} argument{'s' * (count > 1)}")
            values, rest = rest[:count], rest[count:]
            self._count += 1 + count
            if self._count > MOST_ARGUMENTS:
                raise RunscError(f"Exceeded maximum number of arguments {MOST_ARGUMENTS}")
            self._option(word[2:], values)
        return rest

    def _option(self, name: str, values: list[str]) -> None:
        if name == "args":
            content = read_descriptor("args", values[0]).split(b"\0")
            more = [os.fsdecode(word) for word in content[:-1]]
            if self._take(more):
                raise RunscError("--args: no command can be given there")
        elif name == "perms":
            self._permissions = _octal(name, values[0])
        elif name == "size":
            self._size = _number(name, values[0], 1 << 62)
        elif name in ("setenv", "unsetenv", "clearenv"):
            self._environment(name, values)
        elif name in ("cap-add", "cap-drop"):
            self._capability(name, values[0])
        elif name in ("seccomp", "add-seccomp-fd"):
            self._filter(name, values[0])
        elif not self._step(name, values):
            self.given[name] = values[0] if values else ""

    def _step(self, name: str, values: list[str]) -> bool:
        """One of those that fill the root; False when it is none."""
        if name in _BINDS:
            self._bind(name, values)
        elif name in _NEW:
            step = self._add(_NEW[name], values[0])
            step.permissions = self._permissions if name in ("tmpfs", "dir") else None
            step.size = self._size if name == "tmpfs" else None
            self._forget(name, permissions=name in ("tmpfs", "dir"), size=name == "tmpfs")
        elif name in _WITH_CONTENT:
            step = self._add(_WITH_CONTENT[name], values[1])
            step.content = read_descriptor(name, values[0])
            step.read_only = name.startswith("ro-")
            step.permissions = self._permissions
            self._forget(name, permissions=True)
        elif name == "symlink":
            self._add(operations.SYMLINK, values[1]).source = values[0]
        elif name == "chmod":
            self._add(operations.CHMOD, values[1]).permissions = _octal(name, values[0])
        else:
            return False
        return True

    def _add(self, kind: str, destination: str) -> Step:
        # Relative names are the root's, as bwrap has it.
        path = os.path.normpath("/" + destination.lstrip("/"))
        step = Step(kind, path)
        self.setup.steps.append(step)
        return step

    def _forget(self, name: str, *, permissions: bool = False, size: bool = False) -> None:
        """--perms and --size are for the very next option."""
        if (self._permissions is not None and not permissions) or (
            self._size is not None and not size
        ):
            raise RunscError(f"--perms or --size: nothing that --{name} could use")
        self._permissions = self._size = None

    def _bind(self, name: str, values: list[str]) -> None:
        prefix, suffix = _BINDS[name]
        source = values[0]
        if suffix == "-fd":
            source = f"/proc/self/fd/{_descriptor(name, source)}"
        if not os.path.exists(source):
            if suffix == "-try":
                return
            raise RunscError(f"Can't find source path {source}: No such file or directory")
        self._forget(name)
        step = self._add(operations.BIND, values[1])
        step.source = os.path.realpath(source)
        step.read_only, step.devices = prefix == "ro-", prefix == "dev-"

    def _environment(self, name: str, values: list[str]) -> None:
        environment = self.options.environment
        if name == "clearenv":
            environment.clear()
        elif name == "unsetenv":
            environment.pop(values[0], None)
        elif not values[0] or "=" in values[0]:
            raise RunscError(f"setenv failed: {values[0]!r} is no name of a variable")
        else:
            environment[values[0]] = values[1]

    def _capability(self, name: str, text: str) -> None:
        from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES, CAPABILITY_NAMES

        held = self.setup.capabilities
        if held is None:
            # Of what the superuser of the host has; others begin with none.
            held = ALL_CAPABILITIES if os.geteuid() == 0 else 0
        if text.upper() == "ALL":
            chosen = ALL_CAPABILITIES
        else:
            plain = text.lower().removeprefix("cap_")
            if plain not in CAPABILITY_NAMES:
                raise RunscError(f"unknown cap: {text}")
            chosen = 1 << CAPABILITY_NAMES.index(plain)
        self.setup.capabilities = held | chosen if name == "cap-add" else held & ~chosen

    def _filter(self, name: str, text: str) -> None:
        others = {"seccomp", "add-seccomp-fd"} & self.given.keys()
        if others and (name == "seccomp" or "seccomp" in others):
            raise RunscError("--seccomp is given once, and not together with --add-seccomp-fd")
        self.given[name] = text
        content = read_descriptor(name, text)
        if not content or len(content) % 8:
            raise RunscError(f"--{name} {text}: no program of whole instructions")
        self.setup.filters.append(content)

    def _apply(self) -> None:
        """What the options mean that are about the program."""
        options, given = self.options, self.given
        everything = "unshare-all" in given
        if "share-net" in given and not everything:
            raise RunscError("--share-net is for --unshare-all")
        if "unshare-net" in given or (everything and "share-net" not in given):
            options.network = "none"
        has_user = everything or {"unshare-user", "unshare-user-try"} & given.keys()
        for name in ("uid", "gid", "disable-userns"):
            if name in given and not has_user:
                raise RunscError(f"Specifying --{name} requires --unshare-user")
        if "hostname" in given:
            if not everything and "unshare-uts" not in given:
                raise RunscError("Specifying --hostname requires --unshare-uts")
            options.host_name = parse_host_name(given["hostname"])
        uid = _number("uid", given.get("uid", str(os.geteuid())), 1 << 32)
        gid = _number("gid", given.get("gid", str(os.getegid())), 1 << 32)
        options.user = f"{uid}:{gid}"
        setup = self.setup
        setup.uid, setup.gid = uid, gid
        setup.has_users = bool(has_user) or os.geteuid() != 0
        setup.nested_users = "disable-userns" not in given
        if setup.capabilities is None and os.geteuid() != 0:
            setup.capabilities = 0
        options.working_directory = given.get("chdir")
        self.setup.has_directory = "chdir" in given
        self.setup.controls_terminal = "new-session" not in given
        options.setup = self.setup


def _descriptor(name: str, text: str) -> int:
    number = _number(name, text, 1 << 20)
    try:
        os.fstat(number)
    except OSError as error:
        raise RunscError(f"--{name} {text}: {error.strerror}") from None
    return number


def read_descriptor(name: str, text: str) -> bytes:
    """All that a descriptor of the caller's has; it is closed.  Raises RunscError."""
    descriptor = _descriptor(name, text)
    try:
        with open(descriptor, "rb") as file:
            content = file.read(LARGEST_CONTENT + 1)
    except OSError as error:
        raise RunscError(f"--{name} {text}: {error.strerror}") from None
    if len(content) > LARGEST_CONTENT:
        raise RunscError(f"--{name} {text}: more than {LARGEST_CONTENT >> 20} MiB")
    return content


def _number(name: str, text: str, limit: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < limit):
        raise RunscError(f"Invalid argument {text!r} of --{name}")
    return int(text)


def _octal(name: str, text: str) -> int:
    try:
        value = int(text, 8)
    except ValueError:
        value = -1
    if not 0 <= value <= 0o7777:
        raise RunscError(f"--{name} {text!r}: use octal digits, at most 07777")
    return value
