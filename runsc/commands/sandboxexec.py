"""`runsc-py sandboxexec --options FILE [--] COMMAND [ARG…]`: gVisor's, with its SandboxOptions.

The options are that message as JSON, names as in its definition or in lowerCamelCase.  The root
is empty and in memory but for what the options mount; of our environment only what they forward is
there.  Unlike gVisor's the command stays in the foreground and its status is ours.
"""

import gc
import os
import sys

from runsc_py.runsc.arguments import FILE, Option, Syntax, help_text, parse
from runsc_py.runsc.bubblewrap import operations
from runsc_py.runsc.bubblewrap.operations import Setup, Step
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import RunOptions, parse_destination

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SYNTAX = Syntax(
    "runsc-py sandboxexec [--options FILE] [--] COMMAND [ARG…]",
    "Run a program with options that another program has written: gVisor's SandboxOptions as JSON.",
    (
        (
            "options",
            (Option("--options", "FILE", "the document; - is standard input", completes=FILE),),
        ),
    ),
    epilog="""\
example:
  cat > options.json <<END
  {"mounts": [{"target": "/usr", "host_mount": {"host_path": "/usr"}},
              {"target": "/bin", "host_mount": {"host_path": "/bin"}},
              {"target": "/lib64", "host_mount": {"host_path": "/lib64"}},
              {"target": "/work", "host_mount": {"host_path": "/srv/work",
                                                 "options": {"passthrough": true}}}],
   "env_vars": [{"name": "PATH", "policy": "ENV_VAR_POLICY_FORWARD"}, {"name": "N", "value": "5"}]}
  END
  runsc-py sandboxexec --options options.json -- sh -c 'echo $N > /work/n'

Host directories are below an overlay in memory unless passthrough is true. External networking is
the host's sockets; lists of domains and port mappings are refused, since there is no network
between host and sandbox.
""",
)
_NO_NETWORK = "there is no network between host and sandbox that could be filtered"


class _Message:
    """A JSON object whose members are taken one by one; those that nobody took are errors."""

    def __init__(self, where: str, value: object) -> None:
        if not isinstance(value, dict):
            raise RunscError(f"{where}: an object expected")
        self.where = where
        self._left: dict[str, Any] = {_snake(str(name)): one for name, one in value.items()}

    def take(self, name: str, kind: type, default: "Any" = None) -> "Any":
        """A member of this type.  Raises RunscError."""
        if name not in self._left:
            return default
        value = self._left.pop(name)
        if kind is int and isinstance(value, str) and value.isdecimal():
            return int(value)  # as proto3 writes 64-bit numbers
        if type(value) is not kind:
            raise RunscError(f"{self.where}.{name}: {kind.__name__} expected")
        return value

    def messages(self, name: str) -> "list[_Message]":
        """A list of objects."""
        values = self.take(name, list, [])
        return [_Message(f"{self.where}.{name}[{at}]", one) for at, one in enumerate(values)]

    def message(self, name: str) -> "_Message | None":
        """An object, None when it is not there."""
        if name not in self._left:
            return None
        return _Message(f"{self.where}.{name}", self._left.pop(name))

    def finish(self) -> None:
        """Nothing may be left."""
        if self._left:
            raise RunscError(f"{self.where}: unknown option {next(iter(self._left))!r}")


def _snake(name: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name)


def sandbox_options(document: object, command: list[str]) -> RunOptions:
    """What a document asks for.  Raises RunscError."""
    root = _Message("options", document)
    options = RunOptions(command)
    options.keeps_home = True
    options.environment = _environment(root.messages("env_vars"))
    options.network = _network(root.message("networking_options"))
    options.working_directory = "/"
    setup = options.setup = Setup()
    setup.has_directory = True
    setup.has_users = os.geteuid() != 0
    setup.steps = _surroundings() + [_mount(one) for one in root.messages("mounts")]
    for name in ("stdout_file", "stderr_file"):
        root.take(name, str)
    if root.take("terminal", bool, False) and not os.isatty(0):
        raise RunscError("options.terminal: standard input is not a terminal")
    if root.take("start_timeout_ms", int, 1) < 1:
        raise RunscError("options.start_timeout_ms: a positive number expected")
    debugging = root.message("debug_options")
    if debugging is not None:
        debugging.take("enable_debug_logs", str)
        debugging.take("debug_log_file", str)
        debugging.finish()
    root.finish()
    return options


def _surroundings() -> list[Step]:
    """What every sandbox has."""
    steps = [
        Step(operations.PROC, "/proc"),
        Step(operations.BIND, "/sys"),
        Step(operations.DEV, "/dev"),
        Step(operations.TMPFS, "/tmp"),
    ]
    steps[1].source, steps[1].read_only = "/sys", True
    steps[3].permissions = 0o1777
    return steps


def _environment(variables: list[_Message]) -> dict[str, str]:
    """Only what is named."""
    environment: dict[str, str] = {}
    for one in variables:
        name = one.take("name", str, "")
        value, policy = one.take("value", str), one.take("policy", str)
        one.finish()
        if not name or "=" in name or (value is None) == (policy is None):
            raise RunscError(f"{one.where}: a name, and a value or a policy expected")
        if value is not None:
            environment[name] = value
        elif policy == "ENV_VAR_POLICY_FORWARD":
            if name in os.environ:
                environment[name] = os.environ[name]
        elif policy == "ENV_VAR_POLICY_UNSET":
            environment.pop(name, None)
        elif policy != "ENV_VAR_POLICY_UNSPECIFIED":
            raise RunscError(f"{one.where}.policy: unknown policy {policy!r}")
    return environment


def _network(networking: _Message | None) -> str:
    if networking is None:
        return "none"
    external = networking.take("enable_external_networking", bool, False)
    for name in ("port_mappings", "domain_allowlist", "domain_denylist"):
        if networking.take(name, list, []):
            raise RunscError(f"{networking.where}.{name}: not possible: {_NO_NETWORK}")
    networking.finish()
    return "host" if external else "none"


def _mount(one: _Message) -> Step:
    target = parse_destination(f"{one.where}.target", one.where, one.take("target", str, ""))
    host, memory = one.message("host_mount"), one.message("sandbox_tmpfs_mount")
    one.finish()
    if (host is None) == (memory is None):
        raise RunscError(f"{one.where}: host_mount or sandbox_tmpfs_mount expected")
    if host is None:
        assert memory is not None
        memory.finish()
        step = Step(operations.TMPFS, target)
        step.permissions = 0o1777
        return step
    step = Step(operations.BIND, target)
    source = host.take("host_path", str, "")
    if not os.path.isabs(source) or not os.path.exists(source):
        raise RunscError(f"{host.where}.host_path: {source!r} is no path of a file")
    step.source = os.path.realpath(source)
    options = host.message("options")
    step.has_overlay = options is None or not options.take("passthrough", bool, False)
    if options is not None:
        options.finish()
    host.finish()
    return step


def _open_output(document: "dict[str, Any]", name: str, descriptor: int) -> None:
    path = document.get(name)
    if path is None:
        return
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RunscError(f"options.{name}: {path}: {error.strerror}") from None
    os.dup2(file, descriptor)
    os.close(file)


def _read(path: str) -> "dict[str, Any]":
    import json

    try:
        with open(0 if path == "-" else path, encoding="utf-8", closefd=path != "-") as file:
            document = json.load(file)
    except OSError as error:
        raise RunscError(f"--options {path}: {error.strerror}") from None
    except ValueError as error:
        raise RunscError(f"--options {path}: {error}") from None
    if not isinstance(document, dict):
        raise RunscError(f"--options {path}: an object expected")
    return document


def main(name: str, arguments: list[str]) -> int:
    """Run, and end the process with the status of the run.  Raises RunscError."""
    parsed = parse(SYNTAX, arguments, "runsc-py sandboxexec")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if not parsed.operands:
        raise RunscError("no command given; see runsc-py sandboxexec --help")
    path = parsed.last("options")
    document = _read(path) if path is not None else {}
    options = sandbox_options(document, parsed.operands)
    plain = {_snake(key): value for key, value in document.items()}
    for key, descriptor in (("stdout_file", 1), ("stderr_file", 2)):
        _open_output(plain, key, descriptor)
    log = {_snake(key): value for key, value in (plain.get("debug_options") or {}).items()}
    gc.disable()
    from runsc_py.runsc.running import run_and_report

    status = run_and_report(
        options,
        log_path=log.get("debug_log_file"),
        debug=bool(log.get("enable_debug_logs")),
        result_target=None,
    )
    os._exit(status)
