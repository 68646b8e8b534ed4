"""What a sandbox is to be like, apart from what its bundle says: the options before the command.

One `Config`, whoever asks: the command line (`parse_config`), annotations of a bundle
(`override_by_annotations`), Python calls (`Config(network="host")`).  It travels to the sandbox as
a map of plain values.  An option's name is the attribute's with dashes for underscores.
"""

import os

from runsc_py.runsc.arguments import DIRECTORY, FILE, Option, Parsed, Syntax, parse
from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    Value: TypeAlias = bool | int | str

#: annotations that set an option for one container
FLAG_PREFIX = "dev.gvisor.flag."

BOOLEAN = "true|false"
TRUE = ("true", "1", "t", "T", "TRUE", "True", "")
FALSE = ("false", "0", "f", "F", "FALSE", "False")

ENGINE = (
    Option("--root", "DIR", "where containers are recorded", completes=DIRECTORY),
    Option("--log", "FILE", "append errors and warnings here", completes=FILE),
    Option(
        "--log-format", "FORMAT", "of --log: text (default), json or json-k8s",
        choices=("text", "json", "json-k8s"),
    ),
    Option("--debug", BOOLEAN, "log everything", optional=True),
    Option(
        "--systemd-cgroup", BOOLEAN, "cgroupsPath is slice:prefix:name, as systemd has it",
        optional=True,
    ),
    Option(
        "--rootless", "true|false|auto",
        "true: do without control groups that cannot be made; false: fail; auto: say so (default)",
        choices=("true", "false", "auto"),
    ),
)  # fmt: skip
OBSERVATION = (
    Option(
        "--debug-log", "FILE",
        "the sandbox's own log; %ID%, %COMMAND% and %TIMESTAMP% are filled in, below a directory "
        "when it ends in /", completes=FILE,
    ),
    Option("--panic-log", "FILE", "why a sandbox broke down, as JSON", completes=FILE),
    Option("--alsologtostderr", BOOLEAN, "log to standard error too", optional=True),
    Option("--strace", BOOLEAN, "log system calls", optional=True),
    Option("--strace-syscalls", "NAME,…", "only these; empty: all"),
    Option("--strace-log-size", "BYTES", "of a string or buffer (default: 1024)"),
)  # fmt: skip
ISOLATION = (
    Option("--platform", "ptrace", "how system calls are caught", choices=("ptrace",)),
    Option(
        "--network", "none|host|sandbox",
        "none and sandbox: a loopback interface only (default: sandbox); host: the host's sockets",
        choices=("none", "host", "sandbox"),
    ),
    Option("--oci-seccomp", BOOLEAN, "install the bundle's own system call filter", optional=True),
    Option(
        "--allow-suid", BOOLEAN,
        "set-user-ID programs and those with capabilities get their rights (default: true)",
        optional=True,
    ),
    Option("--net-raw", BOOLEAN, "containers may keep CAP_NET_RAW", optional=True),
    Option(
        "--ignore-cgroups", BOOLEAN, "limits are the sandbox's own, not control groups'",
        optional=True,
    ),
    Option(
        "--allow-flag-override", BOOLEAN, f"annotations {FLAG_PREFIX}NAME may set any option",
        optional=True,
    ),
)  # fmt: skip
FILES = (
    Option(
        "--overlay2", "none|root:memory|all:memory",
        "where writes go: the bundle's files, or memory above them (default: none)",
        choices=("none", "root:memory", "all:memory"),
    ),
    Option(
        "--file-access", "exclusive|shared", "whether the host may change the root directory too",
        choices=("exclusive", "shared"),
    ),
    Option(
        "--file-access-mounts", "exclusive|shared", "the same for other mounts (default: shared)",
        choices=("exclusive", "shared"),
    ),
)  # fmt: skip

SYNTAX = Syntax(
    "runsc-py [options] COMMAND …",
    "Options before the command, as container engines give them.",
    (
        ("engine", ENGINE),
        ("observation", OBSERVATION),
        ("isolation", ISOLATION),
        ("files", FILES),
    ),
)

#: options that an annotation may set without --allow-flag-override: they weaken nothing
SAFE_OVERRIDES = frozenset(("debug", "strace", "strace-syscalls", "strace-log-size", "overlay2"))


class Config:
    """The options, with their defaults.  Raises RunscError for what is no option or no value."""

    __slots__ = (
        "allow_flag_override", "allow_suid", "alsologtostderr", "debug", "debug_log",
        "file_access", "file_access_mounts", "ignore_cgroups", "log", "log_format",
        "net_raw", "network", "oci_seccomp", "overlay2", "panic_log", "platform", "root",
        "rootless", "strace", "strace_log_size", "strace_syscalls", "systemd_cgroup",
    )  # fmt: skip

    def __init__(self, **values: "Value") -> None:
        self.root = ""
        self.log = ""
        self.log_format = "text"
        self.debug = False
        self.systemd_cgroup = False
        self.rootless = "auto"
        self.debug_log = ""
        self.panic_log = ""
        self.alsologtostderr = False
        self.strace = False
        self.strace_syscalls = ""
        self.strace_log_size = 1024
        self.platform = "ptrace"
        self.network = "sandbox"
        self.oci_seccomp = False
        self.allow_suid = True
        self.net_raw = False
        self.ignore_cgroups = False
        self.allow_flag_override = False
        self.overlay2 = "none"
        self.file_access = "exclusive"
        self.file_access_mounts = "shared"
        for name, value in values.items():
            self._assign(name, value)
        if not self.root:
            self.root = default_root()

    def _assign(self, name: str, value: "Value") -> None:
        """Values of Python calls and of the wire: of the right type, and one of the choices."""
        option = OPTIONS.get(name.replace("_", "-"))
        if option is None:
            raise RunscError(f"there is no option {name!r}")
        if type(value) is not type(getattr(self, name)):
            raise RunscError(
                f"--{option.key} {value!r}: not a {type(getattr(self, name)).__name__}"
            )
        if option.choices and value not in option.choices:
            raise RunscError(f"--{option.key} {value!r}: use {' or '.join(option.choices)}")
        setattr(self, name, value)

    def set(self, key: str, text: str) -> None:
        """An option by its name on the command line, from text."""
        attribute = key.replace("-", "_")
        default = getattr(self, attribute, None) if key in OPTIONS else None
        value: Value = text
        if isinstance(default, bool):
            if text not in TRUE + FALSE:
                raise RunscError(f"--{key} {text!r}: use true or false")
            value = text in TRUE
        elif isinstance(default, int):
            if not (text.isascii() and text.isdigit() and int(text) < 1 << 31):
                raise RunscError(f"--{key} {text!r}: use a whole number")
            value = int(text)
        self._assign(attribute, value)

    def to_dict(self) -> "dict[str, Value]":
        """For the wire and the state file: `Config(**map)` is this again."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, values: "Mapping[str, Value]") -> "Config":
        """What `to_dict` made.  Raises RunscError."""
        return cls(**values)

    def check(self) -> None:
        """Whether the options go together.  Raises RunscError."""
        if self.strace and not self.debug_log:
            raise RunscError("--strace: there is no log for it; say where with --debug-log FILE")
        if self.overlay2 != "none" and self.file_access == "shared":
            raise RunscError(
                "--file-access=shared: the root directory below an overlay must not change; "
                "use --overlay2=none"
            )


OPTIONS = {option.key: option for option in (*ENGINE, *OBSERVATION, *ISOLATION, *FILES)}


def default_root() -> str:
    """Where containers are recorded: one place a user, gone when the machine restarts."""
    if directory := os.environ.get("XDG_RUNTIME_DIR"):
        return os.path.join(directory, "runsc-py")
    if os.geteuid() == 0:
        return "/run/runsc-py"
    return f"/tmp/runsc-py-{os.geteuid()}"


def parse_config(words: "Sequence[str]") -> "tuple[Config, Parsed]":
    """The options before the command; what is left are the operands.  Raises RunscError."""
    parsed = parse(SYNTAX, words, "runsc-py")
    config = Config()
    for key, values in parsed.values.items():
        if key != "help":
            config.set(key, values[-1])
    config.root = os.path.abspath(config.root)
    config.check()
    return config, parsed


def override_by_annotations(config: Config, annotations: "Mapping[str, str]") -> None:
    """`dev.gvisor.flag.NAME` of a bundle.  Raises RunscError for what its author may not set."""
    for annotation, text in annotations.items():
        if not annotation.startswith(FLAG_PREFIX):
            continue
        key = annotation.removeprefix(FLAG_PREFIX)
        if key not in OPTIONS:
            raise RunscError(f"annotation {annotation}: there is no option {key!r}")
        allowed = config.allow_flag_override or key in SAFE_OVERRIDES
        if not allowed and not (key == "oci-seccomp" and text in TRUE):
            raise RunscError(
                f"annotation {annotation}: flag override disabled, "
                "use --allow-flag-override to enable it"
            )
        config.set(key, text)
    config.check()
