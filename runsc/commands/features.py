"""`runsc-py features`: what the runtime supports, as runtime-spec's features.md has it."""

import sys

from runsc_py.runsc.arguments import Syntax
from runsc_py.runsc.commands.container_command import parse_or_help
from runsc_py.runsc.config import FLAG_PREFIX, Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

SYNTAX = Syntax(
    "runsc-py [options] features",
    "Print what the runtime supports as JSON, as container engines ask for it.",
    operands=(),
    epilog="""\
example:
  runsc-py features
""",
)
OLDEST = "1.0.0"
HOOKS = (
    "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
)  # fmt: skip


def features(config: Config) -> dict[str, object]:
    """The document."""
    from importlib.metadata import version

    from runsc_py.runsc.loader.mount_options import mount_option_names
    from runsc_py.runsc.oci.default import VERSION
    from runsc_py.runsc.oci.spec import NamespaceType
    from runsc_py.runsc.oci.types import texts_of
    from runsc_py.sentry.auth.capabilities import CAPABILITY_NAMES

    return {
        "ociVersionMin": OLDEST,
        "ociVersionMax": VERSION,
        "hooks": list(HOOKS),
        "mountOptions": mount_option_names(),
        "linux": {
            "namespaces": sorted(texts_of(NamespaceType)),
            "capabilities": [f"CAP_{name.upper()}" for name in CAPABILITY_NAMES],
            "cgroup": {
                "v1": True, "v2": True, "systemd": False, "systemdUser": False, "rdma": False,
            },
            "seccomp": _seccomp(config),
            "apparmor": {"enabled": False},
            "selinux": {"enabled": False},
            "intelRdt": {"enabled": False},
            "mountExtensions": {"idmap": {"enabled": True}},
            "netDevices": {"enabled": False},
        },
        "annotations": {"dev.runsc-py.version": version("runsc-py")},
        "potentiallyUnsafeConfigAnnotations": [FLAG_PREFIX],
    }  # fmt: skip


def _seccomp(config: Config) -> dict[str, object]:
    """A bundle's own filter is an option, since no call reaches the host in any case."""
    if not config.oci_seccomp:
        return {"enabled": False}
    from runsc_py.runsc.oci.seccomp import Action, Flag, Operator
    from runsc_py.runsc.oci.types import texts_of

    return {
        "enabled": True,
        "actions": sorted(texts_of(Action)),
        "operators": sorted(texts_of(Operator)),
        "archs": ["SCMP_ARCH_X86_64"],
        "knownFlags": sorted(texts_of(Flag)),
    }


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print it."""
    parsed = parse_or_help(SYNTAX, name, words)
    if parsed is None:
        return 0
    if parsed.operands:
        raise RunscError("features takes no arguments")
    import json

    sys.stdout.write(json.dumps(features(config), indent=2) + "\n")
    return 0
