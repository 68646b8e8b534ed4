"""`runsc-py exec ID COMMAND [ARG…]`: one more process in a running container."""

import os
import sys
from signal import SIGKILL

from runsc_py.runsc.arguments import (
    CONTAINER,
    FILE,
    USER,
    Option,
    Parsed,
    Syntax,
    help_text,
    parse,
)
from runsc_py.runsc.commands.create import (
    CONSOLE_SOCKET,
    GIVEN_FILES,
    PIDFD_SOCKET,
    given_program,
    passed_files,
)
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runsc_py.runsc.containers.console_relay import ConsoleRelay
    from runsc_py.runsc.containers.container import Container
    from runsc_py.runsc.control.client import ControlClient
    from runsc_py.runsc.oci.process import Process

PROCESS = (
    Option("-p --process", "FILE", "an OCI process object instead of a command", completes=FILE),
    Option("--cwd", "DIR", "working directory in the container"),
    Option("-e --env", "NAME=VALUE", "beside the container's variables", repeats=True),
    Option("-u --user", "USER[:GROUP]", "names are the container's", completes=USER),
    Option("-g --additional-gids", "GID", "supplementary group", repeats=True),
    Option("-c --cap", "CAP_NAME", "capability to have as well", repeats=True),
    Option("-t --tty", help="with a terminal"),
    Option("--no-new-privs", help="execve gives no more rights"),
)
ENGINE = (
    Option("-d --detach", help="do not wait"),
    CONSOLE_SOCKET,
    Option("--pid-file", "FILE", "gets the process that ends with the command", completes=FILE),
    Option("--internal-pid-file", "FILE", "gets the id inside", completes=FILE),
    *GIVEN_FILES,
    Option("--apparmor", "PROFILE", "accepted and ignored"),
    Option("--process-label", "LABEL", "accepted and ignored"),
    Option("--cgroup", "/", "only the container's own control group can be had", repeats=True),
    Option("--ignore-paused", help="also in a paused container, where it runs after a resume"),
    PIDFD_SOCKET,
)

SYNTAX = Syntax(
    "runsc-py [options] exec [options] ID COMMAND [ARG…]",
    "Run one more process in a running container.",
    (("process", PROCESS), ("engine", ENGINE)),
    operands=CONTAINER,
    epilog="""\
examples:
  runsc-py exec --tty web sh
  runsc-py exec --user www-data --env LANG=C web ls -l /srv
""",
)


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Run it; the status is the process's."""
    parsed = parse(SYNTAX, words, "runsc-py exec")
    if parsed.operands and len(parsed.operands) > 1 and parsed.operands[1].startswith("-"):
        # Options may also follow the container's name.
        more = parse(SYNTAX, parsed.operands[1:], "runsc-py exec")
        for key, values in more.values.items():
            parsed.values.setdefault(key, []).extend(values)
        parsed.operands[1:] = more.operands
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if not parsed.operands:
        raise RunscError("exec needs the id of a container")
    from runsc_py.runsc.containers.container import Container

    container = Container.load(config.root, parsed.operands[0], log)
    status = container.record.current_status()
    if status == "paused" and not parsed.has("ignore-paused"):
        raise RunscError("cannot exec in a paused container (use --ignore-paused to override)")
    if status not in ("created", "running", "paused"):
        raise RunscError(f"cannot exec in a {status} container")
    _check_groups(parsed.all("cgroup"))
    process = _process(container, parsed, log)
    return _execute(container, process, parsed)


def _check_groups(wanted: list[str]) -> None:
    """`--cgroup [CONTROLLER,…:]PATH`.  Raises RunscError."""
    for text in wanted:
        path = text.rpartition(":")[2]
        if ".." in path.split("/"):
            raise RunscError(f"bad sub cgroup path {path!r}")
        if path.strip("/"):
            raise RunscError(
                f"--cgroup {text!r}: a process of the container is in the container's own control "
                "group; use /"
            )


def _process(container: "Container", parsed: Parsed, log: RuntimeLog) -> "Process":
    """What is to be run, checked.  Raises RunscError."""
    from runsc_py.runsc.oci.reading import read_process
    from runsc_py.runsc.oci.validation import validate_process

    if (path := parsed.last("process")) is not None:
        process, warnings = read_process(path)
        if parsed.operands[1:]:
            raise RunscError("exec takes --process or a command, not both")
    else:
        process, warnings = _process_of_words(container, parsed), []
    for warning in [*warnings, *validate_process(process, "process")]:
        log.warning(warning)
    return process


def _process_of_words(container: "Container", parsed: Parsed) -> "Process":
    """The container's own process with another command and what the options change."""
    from runsc_py.runsc.control.codec import convert
    from runsc_py.runsc.oci.process import Capabilities, Process
    from runsc_py.runsc.options import parse_count

    process = convert(Process, container.record.spec["process"])
    process.args = parsed.operands[1:]
    process.env = [*process.env, *parsed.all("env")]
    process.cwd = parsed.last("cwd") or process.cwd
    process.terminal = parsed.has("tty")
    process.console_size = None
    process.no_new_privileges = process.no_new_privileges or parsed.has("no-new-privs")
    groups = [parse_count("--additional-gids", text) for text in parsed.all("additional-gids")]
    process.user.additional_gids = [*process.user.additional_gids, *groups]
    if names := parsed.all("cap"):
        capabilities = process.capabilities or Capabilities()
        kinds = ["bounding", "effective", "permitted"]
        if capabilities.inheritable:  # as with runc: who inherits some keeps these as well
            kinds.append("ambient")
        for kind in kinds:
            present: list[str] = getattr(capabilities, kind)
            setattr(capabilities, kind, [*present, *(n for n in names if n not in present)])
        process.capabilities = capabilities
    return process


def _execute(container: "Container", process: "Process", parsed: Parsed) -> int:
    from runsc_py.runsc.containers.console import check_console
    from runsc_py.runsc.containers.console_relay import ConsoleRelay, has_own_terminal

    socket = parsed.last("console-socket") or ""
    check_console(process.terminal, socket, detached=parsed.has("detach"))
    relay = None
    if process.terminal and not socket and not has_own_terminal():
        relay = ConsoleRelay()
    terminal = _terminal(process, parsed, relay)
    try:
        with container.client() as client:
            pid = _start(client, container.identifier, process, parsed, terminal)
            try:
                waiting = _announce(client, container.identifier, pid, parsed, terminal)
            except BaseException:
                # Nobody has heard of it.  Who waits for it may have our connection already.
                with container.client() as another:
                    another.signal(container.identifier, SIGKILL, pid)
                raise
            terminal = _closed(terminal)
            return 0 if waiting else _wait(container, client, pid, process.terminal, relay)
    finally:
        _closed(terminal)
        if relay is not None:
            relay.close()


def _closed(descriptor: int) -> int:
    """-1; whoever is at the other end sees when nobody has a terminal any more."""
    if descriptor >= 0:
        os.close(descriptor)
    return -1


def _start(
    client: "ControlClient",
    identifier: str,
    process: "Process",
    parsed: Parsed,
    terminal: int,
) -> int:
    """Have the sandbox run it; its number inside."""
    from runsc_py.runsc.control.calls import ExecuteAsync
    from runsc_py.runsc.oci.reading import encode_structure

    passed, program = passed_files(parsed), given_program(parsed)
    standard = [terminal] if terminal >= 0 else [0, 1, 2]
    call = ExecuteAsync(
        identifier, encode_structure(process), parsed.last("user") or "", list(passed)
    )
    call.has_executable = program >= 0
    given = [program] if program >= 0 else []
    return client.execute(call, [*standard, *passed.values(), *given])


def _wait(
    container: "Container",
    client: "ControlClient",
    pid: int,
    with_terminal: bool,
    relay: "ConsoleRelay | None",
) -> int:
    from runsc_py.runsc.containers.waiting import exit_status
    from runsc_py.runsc.control.calls import WaitPid

    send = _pass_signals_on(container, pid, with_terminal)
    request = client.begin(WaitPid(container.identifier, pid))
    if relay is not None:
        relay.run(client.fileno(), send)
    return exit_status(client.finish(request, int))


def _announce(
    client: "ControlClient", identifier: str, pid: int, parsed: Parsed, terminal: int
) -> int:
    """Write the pid files; the process that waits in our place when we are not to, or 0."""
    from runsc_py.runsc.containers.console import send_pidfd
    from runsc_py.runsc.containers.pid_file import write_pid_file
    from runsc_py.runsc.containers.waiting import wait_as_process

    if (path := parsed.last("internal-pid-file")) is not None:
        write_pid_file(path, pid)
    waiting = 0
    if parsed.has("detach"):
        waiting = wait_as_process(client, identifier, pid, terminal)
    if (path := parsed.last("pidfd-socket")) is not None:
        send_pidfd(path, waiting or os.getpid())
    if (path := parsed.last("pid-file")) is not None:
        write_pid_file(path, waiting or os.getpid())
    return waiting


def _terminal(process: "Process", parsed: Parsed, relay: "ConsoleRelay | None") -> int:
    """The process's end of its terminal; -1 when it has none."""
    from runsc_py.runsc.containers.console import open_console
    from runsc_py.runsc.oci.reading import document_of

    if not process.terminal:
        return -1
    if (path := parsed.last("console-socket")) is not None:
        return open_console(path, document_of(process.console_size))
    return os.dup(0 if relay is None else relay.terminal)


def _pass_signals_on(
    container: "Container", pid: int, with_terminal: bool
) -> "Callable[[int], None]":
    """From now on; what sends a signal by itself."""
    from runsc_py.runsc.containers.forwarding import forward_signals
    from runsc_py.runsc.control.calls import TO_PROCESS, TO_TERMINAL
    from runsc_py.runsc.control.errors import ControlError

    mode = TO_TERMINAL if with_terminal else TO_PROCESS

    def send(number: int) -> None:
        try:
            with container.client() as client:
                client.signal(container.identifier, number, pid, mode)
        except ControlError:
            return  # it has ended; so will our waiting

    forward_signals(send, with_terminal=with_terminal)
    return send
