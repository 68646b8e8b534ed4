"""Every option before the command, declared once: name, default, help, and who may set it.

`Config` (runsc/config.py) is an object of these; help, completion, docs/options.md and the
annotations `dev.gvisor.flag.NAME` come from here too.  Names and meanings are gVisor's.
"""

from __future__ import annotations

from runsc_py.runsc.arguments import DIRECTORY, FILE, TEXT, Option
from runsc_py.runsc.debug_log import check_commands
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import parse_duration
from runsc_py.runsc.overlay import Overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Value: TypeAlias = bool | int | float | str

BOOLEAN = "true|false"
TRUE = ("true", "1", "t", "T", "TRUE", "True", "")
FALSE = ("false", "0", "f", "F", "FALSE", "False")
LOG_FORMATS = ("text", "json", "json-k8s")
SHARING = ("exclusive", "shared")


def never(value: Value) -> bool:
    """Only who runs the command may set it, or allows it with --allow-flag-override."""
    return False


def always(value: Value) -> bool:
    """The author of a bundle may set it, too."""
    return True


def _check_names(text: str) -> None:
    """Of files.  Raises RunscError."""
    for name in text.split(",") if text else ():
        if not name or "/" in name or name in (".", ".."):
            raise RunscError(f"--override-procs {name!r}: use names of files in /proc")


class Setting(Option):
    """One option with its default, which says of what type it is."""

    __slots__ = ("check", "default", "for_author", "minimum")

    def __init__(
        self,
        name: str,
        default: Value,
        value: str,
        help: str,  # noqa: A002
        *,
        choices: tuple[str, ...] = (),
        completes: str = TEXT,
        for_author: Callable[[Value], bool] = never,
        check: Callable[[str], object] | None = None,
        minimum: int = 0,
    ) -> None:
        """`check` raises RunscError for a text that is no value; `minimum` is a number's."""
        super().__init__(
            f"--{name}",
            value,
            help,
            optional=isinstance(default, bool),
            choices=choices,
            completes=completes,
        )
        self.default = default
        #: whether a bundle's author may set it to a value
        self.for_author = for_author
        self.check = check
        self.minimum = minimum

    @property
    def attribute(self) -> str:
        """Its name in Python."""
        return self.key.replace("-", "_")

    def parse(self, text: str) -> Value:
        """From the command line or an annotation.  Raises RunscError."""
        if isinstance(self.default, bool):
            if text not in TRUE + FALSE:
                raise RunscError(f"--{self.key} {text!r}: use true or false")
            return text in TRUE
        if isinstance(self.default, float):
            return parse_duration(f"--{self.key}", text)
        if isinstance(self.default, int):
            digits = text.removeprefix("-")
            if not (digits.isascii() and digits.isdigit() and int(digits) < 1 << 31):
                raise RunscError(f"--{self.key} {text!r}: use a whole number")
            return int(text)
        return text

    def validate(self, value: Value) -> None:
        """A value from Python, from the wire or from `parse`.  Raises RunscError."""
        if type(value) is not type(self.default):
            raise RunscError(f"--{self.key} {value!r}: not a {type(self.default).__name__}")
        if self.choices and value not in self.choices:
            raise RunscError(f"--{self.key} {value!r}: use {' or '.join(self.choices)}")
        if isinstance(value, int) and value < self.minimum:
            raise RunscError(f"--{self.key} '{value}': use a whole number from {self.minimum} on")
        if isinstance(value, float) and not value > 0:
            raise RunscError(f"--{self.key} {value!r}: use seconds, or for example 500ms, 2m, 1h")
        if self.check is not None and isinstance(value, str):
            self.check(value)


ENGINE = (
    Setting("root", "", "DIR", "where containers are recorded", completes=DIRECTORY),
    Setting("log", "", "FILE", "append errors and warnings here", completes=FILE),
    Setting("log-format", "text", "FORMAT", "of --log", choices=LOG_FORMATS),
    Setting("debug", False, BOOLEAN, "log everything", for_author=always),
    Setting(
        "systemd-cgroup", False, BOOLEAN, "cgroupsPath is slice:prefix:name, as systemd has it"
    ),
    Setting(
        "rootless", "auto", "true|false|auto",
        "true: do without control groups that cannot be made; false: fail; auto: say so",
        choices=("true", "false", "auto"),
    ),
)  # fmt: skip
OBSERVATION = (
    Setting(
        "debug-log", "", "FILE",
        "what commands and sandboxes do; %ID%, %COMMAND% and %TIMESTAMP% are filled in, below a "
        "directory when it ends in /", completes=FILE,
    ),
    Setting(
        "debug-log-format", "text", "FORMAT", "of --debug-log", choices=LOG_FORMATS
    ),
    Setting(
        "debug-command", "", "[!]NAME,…",
        "only these commands (or, with !, all others) write to --debug-log; sandbox is one of them",
        for_author=always, check=check_commands,
    ),
    Setting(
        "debug-to-user-log", False, BOOLEAN, "create --user-log gets all that the sandbox logs",
        for_author=always,
    ),
    Setting("panic-log", "", "FILE", "why a sandbox broke down, as JSON", completes=FILE),
    Setting(
        "panic-signal", -1, "N", "a host signal upon which the sandbox says where it is, and "
        "ends; -1: none", minimum=-1,
    ),
    Setting(
        "watchdog-action", "none", "none|log|panic",
        "what becomes of a sentry that is busy with one thing for too long: log where, or end too",
        choices=("none", "log", "panic"),
    ),
    Setting("watchdog-timeout", 180.0, "TIME", "how long is too long"),
    Setting(
        "ref-leak-mode", "disabled", "disabled|log-names|log-traces",
        "for tests: name in the log what is left of containers at the sandbox's end, and where "
        "it was made", choices=("disabled", "log-names", "log-traces"),
    ),
    Setting(
        "final-metrics-log", "", "FILE", "what the sandbox has counted, as Prometheus has it, "
        "when it ends", completes=FILE,
    ),
    Setting(
        "profile", "", "FILE", "where the sandbox spends its processor time, as folded stacks",
        completes=FILE,
    ),
    Setting("alsologtostderr", False, BOOLEAN, "log to standard error too"),
    Setting("strace", False, BOOLEAN, "log system calls", for_author=always),
    Setting("strace-syscalls", "", "NAME,…", "only these; empty: all", for_author=always),
    Setting("strace-log-size", 1024, "BYTES", "of a string or buffer", for_author=always),
)  # fmt: skip
ISOLATION = (
    Setting("platform", "ptrace", "ptrace", "how system calls are caught", choices=("ptrace",)),
    Setting(
        "network", "sandbox", "none|host|sandbox",
        "none and sandbox: a loopback interface only; host: the host's sockets",
        choices=("none", "host", "sandbox"),
    ),
    Setting(
        "oci-seccomp", False, BOOLEAN, "install the bundle's own system call filter",
        for_author=lambda value: value is True,
    ),
    Setting(
        "allow-suid", True, BOOLEAN,
        "set-user-ID programs and those with capabilities get their rights",
    ),
    Setting("net-raw", False, BOOLEAN, "containers may keep CAP_NET_RAW"),
    Setting(
        "cpu-num-from-quota", True, BOOLEAN,
        "programs see as many processors as the quota of processor time keeps busy, but two",
    ),
    Setting(
        "fdlimit", -1, "N", "descriptors of the host that the sandbox, and its gofer, may have "
        "open; -1: as many as the host allows", minimum=-1,
    ),
    Setting(
        "control-rpc-stop-timeout", 15.0, "TIME",
        "how long the sandbox waits at its end for clients to take their answers",
    ),
    Setting(
        "ignore-cgroups", False, BOOLEAN, "limits are the sandbox's own, not control groups'"
    ),
    Setting(
        "allow-flag-override", False, BOOLEAN,
        "annotations dev.gvisor.flag.NAME may set any option",
    ),
)  # fmt: skip
FILES = (
    Setting(
        "overlay2", "none", "none|root:MEDIUM|all:MEDIUM",
        "where writes go: the bundle's files, or a layer above the root directory or all mounts, "
        "kept in MEDIUM: memory, self (files without a name beside its own), dir=/DIRECTORY "
        "(such files there); ,size=SIZE limits each",
        check=Overlay.parse, for_author=lambda value: Overlay.parse(str(value)).directory == "",
    ),
    Setting(
        "host-uds", "none", "none|open|create|all",
        "unix sockets of the host in the root directory and other mounts: open lets programs "
        "connect to them, create lets them make some",
        choices=("none", "open", "create", "all"), for_author=always,
    ),
    Setting(
        "host-fifo", "none", "none", "a FIFO of the host is a name for a pipe of the sandbox",
        choices=("none",),
    ),
    Setting(
        "allow-rootfs-tar-annotation", False, BOOLEAN,
        "annotation dev.gvisor.tar.rootfs.upper names an archive that the root's upper layer "
        "begins with",
    ),
    Setting(
        "character-device-policy", "emulated-only", "emulated-only",
        "character devices are the sandbox's own, wherever their nodes are",
        choices=("emulated-only",),
    ),
    Setting(
        "gvisor-marker-file", False, BOOLEAN,
        "/proc/gvisor/kernel_is_gvisor tells programs where they are",
    ),
    Setting(
        "override-procs", "", "NAME,…", "empty files of these names in /proc, as kallsyms",
        check=_check_names,
    ),
    Setting(
        "dcache", -1, "N", "names that each file system remembers although nobody uses them; "
        "-1: 20000", minimum=-1,
    ),
    Setting(
        "file-access", "exclusive", "exclusive|shared",
        "whether the host may change the root directory too", choices=SHARING,
    ),
    Setting(
        "file-access-mounts", "shared", "exclusive|shared", "the same for other mounts",
        choices=SHARING,
    ),
)  # fmt: skip

GROUPS = (
    ("engine", ENGINE),
    ("observation", OBSERVATION),
    ("isolation", ISOLATION),
    ("files", FILES),
)
SETTINGS = {setting.key: setting for _, group in GROUPS for setting in group}

_NO_PACKETS = "the network of a sandbox carries no packets"
_NO_NETSTACK = "there is no network stack of packets to tune"
_NO_DRIVERS = "drivers of the host's devices are not passed on"
_NO_CHECKPOINT = "containers cannot be saved yet"
_OF_GO = "it is about Go's runtime"

#: options of gVisor's that there are not (any more), and what to say to who asks for them
REFUSED = {
    "overlay": "it was replaced; use --overlay2=all:memory",
    "fsgofer-host-uds": "it was replaced; use --host-uds=all",
    "vfs2": "it was removed and has no effect; leave it out",
    "fuse": "it was removed and has no effect; leave it out",
    "lisafs": "it was removed and has no effect; leave it out",
    "cgroupfs": "it was removed and has no effect; leave it out",
    "buffer-pooling": "it was removed and has no effect; leave it out",
    "save-restore-netstack": "it was removed and has no effect; leave it out",
    "coverage-report": f"not offered: {_OF_GO}",
    "traceback": f"not offered: {_OF_GO}; --panic-log has the whole stack",
    "profile-block": f"not offered: {_OF_GO}; use --profile",
    "profile-mutex": f"not offered: {_OF_GO}; use --profile",
    "profile-gc-interval": f"not offered: {_OF_GO}; use --profile",
    "profile-cpu": "it has another name; use --profile FILE",
    "profile-heap": "not offered; use runsc-py usage --full ID",
    "trace": f"not offered: {_OF_GO}; use --strace",
    "metric-server": "not offered; use runsc-py export-metrics ID, for a server of your own",
    "profiling-metrics": "not offered; use runsc-py export-metrics ID",
    "profiling-metrics-log": "not offered; use --final-metrics-log",
    "profiling-metrics-rate-us": "not offered; use runsc-py export-metrics ID",
    "strace-event": "not offered; use runsc-py debug --follow ID",
    "log-packets": f"not offered: {_NO_PACKETS}; use --strace",
    "pcap-log": f"not offered: {_NO_PACKETS}; use --strace",
    "platform_device_path": "not offered: the platform needs no device",
    "systrap-disable-syscall-patching": "not offered: the platform patches nothing",
    "systrap-disable-fast-path": "not offered: the platform has one path only",
    "kvm-use-cpu-nums": "not offered: there is no kvm platform",
    "app-huge-pages": "not offered: memory of programs is the host's to back",
    "enable-core-tags": "not offered: host processes are not tagged",
    "host-settings": "not offered; runsc-py doctor looks at the host",
    "allow-packet-socket-write": f"not offered: {_NO_PACKETS}",
    "directfs": "not offered: only the gofer opens files of the host",
    "mount-cgroup-v2": "not offered: containers see control groups of version 2 already",
    "iouring": "not offered: io_uring is not supported",
    "shared-root": "not offered: sandboxes share no state on the host; use --root",
    "restore-spec-validation": f"not offered: {_NO_CHECKPOINT}",
    "net-disconnect-ok": f"not offered: {_NO_CHECKPOINT}",
    "allow-connected-on-save": f"not offered: {_NO_CHECKPOINT}",
    "allow-live-tcp-migration": f"not offered: {_NO_CHECKPOINT}",
    "gofer-network-namespace": "not offered: the gofer has no network calls to make",
    "gso": f"not offered: {_NO_NETSTACK}",
    "software-gso": f"not offered: {_NO_NETSTACK}",
    "gvisor-gro": f"not offered: {_NO_NETSTACK}",
    "tx-checksum-offload": f"not offered: {_NO_NETSTACK}",
    "rx-checksum-offload": f"not offered: {_NO_NETSTACK}",
    "qdisc": f"not offered: {_NO_NETSTACK}",
    "qdisc-tbf-rate": f"not offered: {_NO_NETSTACK}",
    "qdisc-tbf-burst": f"not offered: {_NO_NETSTACK}",
    "num-network-channels": f"not offered: {_NO_NETSTACK}",
    "network-processors-per-channel": f"not offered: {_NO_NETSTACK}",
    "EXPERIMENTAL-xdp": f"not offered: {_NO_NETSTACK}",
    "EXPERIMENTAL-xdp-need-wakeup": f"not offered: {_NO_NETSTACK}",
    "reproduce-nat": f"not offered: {_NO_NETSTACK}",
    "reproduce-nftables": f"not offered: {_NO_NETSTACK}",
    "TESTONLY-nftables": f"not offered: {_NO_NETSTACK}",
    "pause-external-networking": "not offered; use --network=none",
    "nvproxy": f"not offered: {_NO_DRIVERS}",
    "nvproxy-docker": f"not offered: {_NO_DRIVERS}",
    "nvproxy-driver-version": f"not offered: {_NO_DRIVERS}",
    "nvproxy-allow-unsupported-driver": f"not offered: {_NO_DRIVERS}",
    "nvproxy-allowed-driver-capabilities": f"not offered: {_NO_DRIVERS}",
    "rdmaproxy": f"not offered: {_NO_DRIVERS}",
    "tpuproxy": f"not offered: {_NO_DRIVERS}",
    "pod-init-config": "not offered; use runsc-py events --follow and debug --follow",
    "sidecar-release-enforcement-policy": "not offered: there are no sidecars",
}


def explain(key: str) -> str:
    """What to say to who asks for an option that there is not."""
    return REFUSED.get(key) or f"there is no option {key!r}"
