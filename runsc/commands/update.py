"""`runsc-py update ID`: other limits for a running container."""

from runsc_py.runsc.arguments import CONTAINER, FILE, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import parse_size
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.runsc.containers.container import Container

SIZE, SIGNED, UNSIGNED, WORDS = "SIZE", "N", "COUNT", "LIST"

#: option → the member of `linux.resources`, and what it takes
MEMBERS = {
    "memory": ("memory", "limit", SIZE),
    "memory-reservation": ("memory", "reservation", SIZE),
    "memory-swap": ("memory", "swap", SIZE),
    "pids-limit": ("pids", "limit", SIGNED),
    "cpu-share": ("cpu", "shares", UNSIGNED),
    "cpu-quota": ("cpu", "quota", SIGNED),
    "cpu-period": ("cpu", "period", UNSIGNED),
    "cpu-burst": ("cpu", "burst", UNSIGNED),
    "cpu-rt-period": ("cpu", "realtimePeriod", UNSIGNED),
    "cpu-rt-runtime": ("cpu", "realtimeRuntime", SIGNED),
    "cpu-idle": ("cpu", "idle", SIGNED),
    "cpuset-cpus": ("cpu", "cpus", WORDS),
    "cpuset-mems": ("cpu", "mems", WORDS),
    "blkio-weight": ("blockIO", "weight", UNSIGNED),
}
#: another name that was ours
ALIASES = {"cpu-share": "--cpu-share --cpu-shares"}

SYNTAX = Syntax(
    "runsc-py [options] update [options] ID",
    "Change what a running container may use; -1 is no limit.",
    (
        (
            "limits",
            (
                Option("-r --resources", "FILE", "OCI resources; - is standard input",
                       completes=FILE),
                *(Option(ALIASES.get(name, f"--{name}"), kind, f"{group}.{member} of the resources")
                  for name, (group, member, kind) in MEMBERS.items()),
                Option("--kernel-memory", "SIZE", hidden=True),
                Option("--kernel-memory-tcp", "SIZE", hidden=True),
                Option("--l3-cache-schema", "SCHEMA", hidden=True),
                Option("--mem-bw-schema", "SCHEMA", hidden=True),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
examples:
  runsc-py update --memory 268435456 --pids-limit 100 web
  runsc-py update --resources limits.json web
""",
)  # fmt: skip


def _resources(parsed: Parsed) -> "dict[str, Any]":
    """What the command line asks for, checked.  Raises RunscError."""
    from runsc_py.runsc.control.codec import convert
    from runsc_py.runsc.oci.reading import document_of, read_structure
    from runsc_py.runsc.oci.resources import Resources

    if (path := parsed.last("resources")) is not None:
        path = "/dev/stdin" if path == "-" else path
        found: dict[str, Any] = document_of(read_structure(Resources, path, "resources")[0])
        return found
    resources: dict[str, Any] = {}
    for name, (group, member, kind) in MEMBERS.items():
        if text := parsed.last(name):
            resources.setdefault(group, {})[member] = _value(name, kind, text)
    try:
        convert(Resources, resources)
    except ValueError as error:
        raise RunscError(f"update: {error}") from None
    return resources


def _value(name: str, kind: str, text: str) -> int | str:
    """Raises RunscError."""
    if kind == WORDS:
        return text
    if kind == SIZE and text != "-1":
        return parse_size(f"--{name}", text)
    digits = text.removeprefix("-") if kind != UNSIGNED else text
    if not digits.isdecimal() or not text.isascii():
        raise RunscError(f"invalid value for {name}: {text!r} is not a whole number")
    return int(text)


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Change them in the sandbox, and in the control groups where there are any."""

    def update(container: "Container", parsed: Parsed) -> int:
        for option in ("l3-cache-schema", "mem-bw-schema"):
            if parsed.last(option):
                raise RunscError(f"--{option}: Intel RDT is not supported")
        for option in ("kernel-memory", "kernel-memory-tcp"):
            if parsed.last(option):
                log.warning("Kernel memory settings are ignored and will be removed")
        changes = _resources(parsed)
        # What devices a container has is settled when it is created, as with runc.
        changes.pop("devices", None)
        for problem in container.update(changes):
            log.warning(problem)
        return 0

    return with_container(SYNTAX, name, words, config, log, update)
