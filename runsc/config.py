"""What a sandbox is to be like, apart from what its bundle says: the options before the command.

One `Config`, whoever asks: the command line (`parse_config`), annotations of a bundle
(`override_by_annotations`), Python calls (`Config(network="host")`).  It travels to the sandbox as
a map of plain values.  The options themselves are declared in runsc/settings.py; an option's name
is the attribute's with dashes for underscores.
"""

from __future__ import annotations

import os

from runsc_py.runsc.arguments import Option, Parsed, Syntax, parse
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.overlay import Overlay
from runsc_py.runsc.settings import FALSE, GROUPS, REFUSED, SETTINGS, TRUE, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runsc_py.runsc.settings import Value

#: annotations that set an option for one container, and several under one name
FLAG_PREFIX = "dev.gvisor.flag."
BUNDLE_PREFIX = "dev.gvisor.bundle."
#: gVisor's; of its options those that there are
BUNDLES = {"experimental-high-performance": {"overlay2": "root:self"}}

SYNTAX = Syntax(
    "runsc-py [options] COMMAND …",
    "Options before the command, as container engines give them.",
    (*GROUPS, ("", (Option("--version", help="print the version, whatever the command"),))),
    refused=REFUSED,
)

#: what a sandbox has open before its first program has anything
FEWEST_DESCRIPTORS = 128
#: no signal; those that cannot be caught, that end a sandbox, and that it needs for itself
TAKEN_SIGNALS = frozenset((0, 9, 14, 15, 17, 18, 19))

_BY_ATTRIBUTE = {setting.attribute: setting for setting in SETTINGS.values()}


class Config:
    """The options, with their defaults.  Raises RunscError for what is no option or no value."""

    allow_flag_override: bool
    allow_rootfs_tar_annotation: bool
    allow_suid: bool
    alsologtostderr: bool
    character_device_policy: str
    control_rpc_stop_timeout: float
    cpu_num_from_quota: bool
    dcache: int
    debug: bool
    debug_command: str
    debug_log: str
    debug_log_format: str
    debug_to_user_log: bool
    fdlimit: int
    file_access: str
    file_access_mounts: str
    gvisor_marker_file: bool
    host_fifo: str
    host_uds: str
    ignore_cgroups: bool
    log: str
    log_format: str
    net_raw: bool
    network: str
    oci_seccomp: bool
    overlay2: str
    override_procs: str
    panic_log: str
    final_metrics_log: str
    panic_signal: int
    platform: str
    profile: str
    ref_leak_mode: str
    root: str
    rootless: str
    strace: bool
    strace_log_size: int
    strace_syscalls: str
    systemd_cgroup: bool
    watchdog_action: str
    watchdog_timeout: float

    def __init__(self, **values: Value) -> None:
        for name, setting in _BY_ATTRIBUTE.items():
            setattr(self, name, setting.default)
        for name, value in values.items():
            if name not in _BY_ATTRIBUTE:
                raise RunscError(explain(name.replace("_", "-")))
            _BY_ATTRIBUTE[name].validate(value)
            setattr(self, name, value)
        if not self.root:
            self.root = default_root()

    def set(self, key: str, text: str) -> None:
        """An option by its name on the command line, from text.  Raises RunscError."""
        setting = SETTINGS[key]
        value = setting.parse(text)
        setting.validate(value)
        setattr(self, setting.attribute, value)

    def to_dict(self) -> dict[str, Value]:
        """For the wire and the state file: `Config(**map)` is this again."""
        return {name: getattr(self, name) for name in _BY_ATTRIBUTE}

    @classmethod
    def from_dict(cls, values: Mapping[str, Value]) -> Config:
        """What `to_dict` made.  Raises RunscError."""
        return cls(**values)

    @property
    def overlay(self) -> Overlay:
        """`overlay2`, taken apart."""
        return Overlay.parse(self.overlay2)

    def check(self) -> None:
        """Whether the options go together.  Raises RunscError."""
        if self.strace and not self.debug_log:
            raise RunscError("--strace: there is no log for it; say where with --debug-log FILE")
        if self.panic_signal in TAKEN_SIGNALS or self.panic_signal > 64:
            raise RunscError(
                f"--panic-signal '{self.panic_signal}': use the number of a signal that nobody "
                "else needs, for example 12 (SIGUSR2)"
            )
        if 0 <= self.fdlimit < FEWEST_DESCRIPTORS:
            raise RunscError(
                f"--fdlimit '{self.fdlimit}': a sandbox needs {FEWEST_DESCRIPTORS} at least"
            )
        if self.overlay2 != "none" and self.file_access == "shared":
            raise RunscError(
                "--file-access=shared: the root directory below an overlay must not change; "
                "use --overlay2=none"
            )


def default_root() -> str:
    """Where containers are recorded: one place a user, gone when the machine restarts."""
    if directory := os.environ.get("XDG_RUNTIME_DIR"):
        return os.path.join(directory, "runsc-py")
    if os.geteuid() == 0:
        return "/run/runsc-py"
    return f"/tmp/runsc-py-{os.geteuid()}"


def parse_config(words: Sequence[str]) -> tuple[Config, Parsed]:
    """The options before the command; what is left are the operands.  Raises RunscError."""
    parsed = parse(SYNTAX, words, "runsc-py")
    config = Config()
    for key, values in parsed.values.items():
        if key not in ("help", "version"):
            config.set(key, values[-1])
    config.root = os.path.abspath(config.root)
    config.check()
    return config, parsed


def override_by_annotations(config: Config, annotations: Mapping[str, str]) -> None:
    """`dev.gvisor.flag.NAME` of a bundle, and before them `dev.gvisor.bundle.NAME`.

    Raises RunscError for what its author may not set.
    """
    for annotation, text in annotations.items():
        if annotation.startswith(BUNDLE_PREFIX):
            name = annotation.removeprefix(BUNDLE_PREFIX)
            if name not in BUNDLES:
                raise RunscError(f"annotation {annotation}: there is no bundle {name!r}")
            if text not in TRUE + FALSE:
                raise RunscError(f"annotation {annotation} {text!r}: use true or false")
            for key, value in BUNDLES[name].items() if text in TRUE else ():
                _override(config, annotation, key, value)
    for annotation, text in annotations.items():
        if annotation.startswith(FLAG_PREFIX):
            _override(config, annotation, annotation.removeprefix(FLAG_PREFIX), text)
    config.check()


def _override(config: Config, annotation: str, key: str, text: str) -> None:
    setting = SETTINGS.get(key)
    if setting is None:
        raise RunscError(f"annotation {annotation}: {explain(key)}")
    try:
        value = setting.parse(text)
        setting.validate(value)
    except RunscError as error:
        raise RunscError(f"annotation {annotation}: {error}") from None
    if not config.allow_flag_override and not setting.for_author(value):
        raise RunscError(
            f"annotation {annotation}: flag override disabled, "
            "use --allow-flag-override to enable it"
        )
    setattr(config, setting.attribute, value)
