"""The command line: `runsc-py COMMAND …`.

Every command is a module of `runsc/commands`, imported only when it is used: a start of the
sandbox must not pay for the others.
"""

from __future__ import annotations

import gc
import os
import sys

from runsc_py.runsc.errors import EXIT_FAILURE, EXIT_SIGNAL_BASE, RunscError
from runsc_py.runsc.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from runsc_py.runsc.arguments import Syntax
    from runsc_py.runsc.config import Config

SIGINT, SIGPIPE = 2, 13
#: options of `run` that only a container engine's has: it then takes a bundle and an id
ENGINE_OPTIONS = (
    "--bundle", "-b", "--console-socket", "--detach", "-d", "--keep", "--no-new-keyring",
    "--no-pivot", "--no-subreaper", "--pass-fd", "--pid-file", "--pidfd-socket", "--preserve-fds",
)  # fmt: skip

#: command, module of runsc/commands, one line of help
COMMANDS = (
    ("run", "run", "run a program in a sandbox"),
    ("do", "do", "the same, with gVisor's options"),
    ("bwrap", "bwrap", "the same, with bubblewrap's options"),
    ("sandboxexec", "sandboxexec", "run a program with options in a JSON document"),
    ("diff", "diff", "print what run --export handed back"),
    ("images", "images", "list the images that run --image has unpacked, or remove them"),
    ("syscalls", "syscalls", "list the system calls and how far they are supported"),
    ("completion", "completion", "print shell completion: runsc-py completion bash|zsh|fish"),
    ("doctor", "doctor", "tell what this host allows, and what to do about the rest"),
    ("install", "install", "add a runtime to the configuration of Docker or another engine"),
    ("uninstall", "install", "remove it"),
    ("help", "help", "help COMMAND; help platforms; help syscalls"),
    ("cpu-features", "cpu_features", "list the features of the processor, for images"),
    ("version", "version", "print the version"),
)

#: the same for commands about containers: they take a Config, and report to its log
CONTAINER_COMMANDS = (
    ("create", "create", "make a container of a bundle"),
    ("start", "lifecycle", "run the program of a created container"),
    ("exec", "exec", "run one more process in a running container"),
    ("kill", "kill", "send a signal to a container"),
    ("wait", "wait", "wait for the end of a container"),
    ("delete", "delete", "forget a container that has stopped"),
    ("state", "state", "print the state of a container"),
    ("list", "list", "list containers"),
    ("ps", "ps", "list the processes of a container"),
    ("pause", "lifecycle", "stop every task of a container's sandbox"),
    ("resume", "lifecycle", "let a paused container go on"),
    ("events", "events", "print what a container uses"),
    ("update", "update", "change what a container may use"),
    ("spec", "spec", "write a config.json to begin with"),
    ("read", "read", "print a file of a container"),
    ("tar", "tar", "write what a container changed in its root"),
    ("port-forward", "port_forward", "reach a TCP port in a sandbox"),
    ("usage", "usage", "print the memory of a sandbox"),
    ("debug", "debug", "look into a living sandbox"),
    ("export-metrics", "metrics", "print what a sandbox has counted, for Prometheus"),
    ("metric-metadata", "metrics", "print which metrics there are"),
    ("read-control", "control_files", "read a file of the control group that a container sees"),
    ("write-control", "control_files", "write one"),
    ("features", "features", "print what the runtime supports, as container engines ask for it"),
)

USAGE = "usage: runsc-py [--help] [--version] [options] COMMAND …\n"


def overview() -> str:
    """What there is."""
    commands = COMMANDS + CONTAINER_COMMANDS
    width = max(len(name) for name, _, _ in commands)
    lines = [f"  {name:<{width}}  {text}" for name, _, text in commands]
    return "\n".join(
        (
            USAGE,
            "An application kernel for programs you do not trust.",
            "",
            "commands:",
            *lines,
            "",
            "`runsc-py COMMAND --help` tells more; `runsc-py --debug --help` lists the options.",
            "",
        )
    )


def _dispatch(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(overview(), end="", file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else EXIT_FAILURE
    name, rest = arguments[0], list(arguments[1:])
    if name in ("--version", "-V", "-v"):
        name = "version"
    if name.startswith("-"):
        return _dispatch_with_options(arguments)
    if name == "run" and _is_engines(rest):
        return _run_container_command("run_bundle", name, rest, None)
    for command, module, _ in COMMANDS:
        if command == name:
            return int(_module(module).main(name, rest))
    for command, module, _ in CONTAINER_COMMANDS:
        if command == name:
            return _run_container_command(module, name, rest, None)
    raise RunscError(_unknown(name))


def _is_engines(words: Sequence[str]) -> bool:
    """Whether this `run` is that of a container engine: it has an option that only that has."""
    if not any(word.partition("=")[0] in ENGINE_OPTIONS for word in words):
        return False
    syntaxes = _module("run").SYNTAX, _module("run_bundle").SYNTAX
    options = [option for syntax in syntaxes for option in syntax.options()]
    valued = {name for option in options if option.value and not option.optional
              for name in option.names}  # fmt: skip
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name in ENGINE_OPTIONS:
            return True
        if name == "--" or not name.startswith("-"):
            return False
        if name in valued and not equals:
            next(rest, None)
    return False


def _module(name: str) -> Any:
    """A module of runsc/commands; importlib itself would be one import more."""
    path = f"runsc_py.runsc.commands.{name}"
    __import__(path)
    return sys.modules[path]


def _dispatch_with_options(arguments: Sequence[str]) -> int:
    """Options before the command, as container engines give them."""
    from runsc_py.runsc.config import SYNTAX, parse_config

    config, parsed = parse_config(arguments)
    if parsed.has("help"):
        from runsc_py.runsc.arguments import help_text

        print(overview() + "\n" + help_text(SYNTAX), end="")
        return 0
    if parsed.has("version"):
        return int(_module("version").main("version", []))
    if not parsed.operands:
        raise RunscError("no command given; see runsc-py --help")
    name, rest = parsed.operands[0], parsed.operands[1:]
    for command, module, _ in CONTAINER_COMMANDS:
        if command == name:
            return _run_container_command(module, name, rest, config)
    if name == "run":  # options before it are an engine's
        return _run_container_command("run_bundle", name, rest, config)
    if name in [command for command, _, _ in COMMANDS]:
        raise RunscError(f"{name} takes its options behind its name; see runsc-py {name} --help")
    raise RunscError(_unknown(name))


def _run_container_command(module: str, name: str, rest: list[str], config: Config | None) -> int:
    """What it fails with goes to `--log` too, where engines look for the reason."""
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.runtime_log import open_runtime_log

    # A command is over before there is garbage worth a look; a sandbox turns collection on again.
    gc.disable()
    settings = config if config is not None else Config()
    log = open_runtime_log(settings, name)
    log.debug(f"{name}: containers are recorded in {settings.root}")
    try:
        return int(_module(module).main(name, rest, settings, log))
    except RunscError as error:
        log.report(str(error))
        raise


def syntax_of(name: str) -> Syntax:
    """What a command takes.  Raises RunscError when there is none of this name."""
    for command, module, _ in COMMANDS + CONTAINER_COMMANDS:
        if command == name:
            syntax: Syntax = _module(module).SYNTAX
            return syntax
    raise RunscError(_unknown(name))


_NO_SAVING = "sandboxes cannot be saved yet; `tar rootfs-upper` keeps what was changed in the root"
_NO_POINTS = "there are no trace points yet; `debug --follow` prints system calls"

#: gVisor's commands that are not here, and what to use
ABSENT = {
    "checkpoint": _NO_SAVING,
    "restore": _NO_SAVING,
    "fscheckpoint": _NO_SAVING,
    "statefile": _NO_SAVING,
    "trace": _NO_POINTS,
    "metric-server": "`export-metrics` prints a sandbox's metrics; a server of your own calls it",
    "mitigate": "the host's kernel has its own switches for processors' faults",
    "nvproxy": "no devices of the host are passed on",
    "symbolize": "it is about another language's coverage files",
    "install-sidecars": "there are no sidecars",
    "boot": "the sandbox's process is forked and has no command",
    "gofer": "the gofer's process is forked and has no command",
    "umount": "`debug --mount` and the control call Fs.Umount change mounts of a container",
}


def _unknown(name: str) -> str:
    """Errors are rare: what finds near words is only imported for them."""
    from difflib import get_close_matches

    if name in ABSENT:
        return f"{name} is a command of gVisor's that is not here: {ABSENT[name]}"
    names = [command for command, _, _ in COMMANDS + CONTAINER_COMMANDS]
    near = get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
    return f"unknown command {name!r}; {hint}"


def main() -> int:
    """Entry point; returns the exit status."""
    arguments = sys.argv[1:]
    try:
        return _dispatch(arguments)
    except RunscError as error:
        _complain(str(error))
        return error.status
    except KeyboardInterrupt:
        return EXIT_SIGNAL_BASE + SIGINT
    except BrokenPipeError:
        # Who read our help or list has seen enough.
        sys.stdout = None
        return EXIT_SIGNAL_BASE + SIGPIPE
    except Exception as error:
        if "--debug" in arguments:
            raise
        _complain(
            f"internal error: {type(error).__name__}: {error} "
            "(run again with --debug for the traceback, and please report it)"
        )
        return EXIT_FAILURE


def command() -> NoReturn:
    """The program: ends without the interpreter's shutdown, which frees what is gone anyway."""
    status = main()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        status = EXIT_SIGNAL_BASE + SIGPIPE
    except OSError as error:
        _complain(f"standard output: {error.strerror}")
        status = EXIT_FAILURE
    os._exit(status)


def _complain(message: str) -> None:
    """One line on standard error, which may be closed; names in it may hold anything."""
    try:
        os.write(2, f"runsc-py: {printable(message)}\n".encode(errors="backslashreplace"))
    except OSError:
        return
