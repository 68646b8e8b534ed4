"""`runsc-py update ID`: other limits for a running container."""

import sys

from runsc_py.runsc.arguments import FILE, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.runsc.containers.container import Container

#: option → the member of `linux.resources`
MEMBERS = {
    "memory": ("memory", "limit"),
    "memory-reservation": ("memory", "reservation"),
    "memory-swap": ("memory", "swap"),
    "pids-limit": ("pids", "limit"),
    "cpu-shares": ("cpu", "shares"),
    "cpu-quota": ("cpu", "quota"),
    "cpu-period": ("cpu", "period"),
}

SYNTAX = Syntax(
    "runsc-py [options] update [options] ID",
    "Change what a running container may use; -1 is no limit.",
    (
        (
            "limits",
            (
                Option("-r --resources", "FILE", "OCI resources; - is standard input",
                       completes=FILE),
                *(Option(f"--{name}", "N", f"{'.'.join(MEMBERS[name])} of the resources")
                  for name in MEMBERS),
            ),
        ),
    ),
    operands=(),
)  # fmt: skip


def _resources(parsed: Parsed) -> "dict[str, Any]":
    """What the command line asks for, checked.  Raises RunscError."""

    from runsc_py.runsc.oci.reading import document_of, read_structure
    from runsc_py.runsc.oci.resources import Resources

    if (path := parsed.last("resources")) is not None:
        path = "/dev/stdin" if path == "-" else path
        found: dict[str, Any] = document_of(read_structure(Resources, path, "resources")[0])
        return found
    resources: dict[str, Any] = {}
    for name, (group, member) in MEMBERS.items():
        if (text := parsed.last(name)) is not None:
            if not text.removeprefix("-").isdecimal() or not text.isascii():
                raise RunscError(f"--{name} {text!r}: use a whole number")
            resources.setdefault(group, {})[member] = int(text)
    if not resources:
        raise RunscError("update: nothing to change; see runsc-py update --help")
    return resources


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Change them in the sandbox, and in the control groups where there are any."""

    def update(container: "Container", parsed: Parsed) -> int:
        from runsc_py.runsc.containers import cgroups

        status = container.record.current_status()
        if status == "stopped":
            raise RunscError("container not running")
        resources = _resources(parsed)
        memory = (resources.get("memory") or {}).get("limit")
        pids = (resources.get("pids") or {}).get("limit")
        if memory is not None or pids is not None:
            with container.client() as client:
                client.update(memory, pids)
        for problem in cgroups.apply(container.record.cgroups, resources):
            log.warning(problem)
            sys.stderr.write(f"runsc-py: {problem}\n")
        return 0

    return with_container(SYNTAX, name, words, config, log, update)
