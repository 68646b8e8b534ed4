"""Starting the process of a sandbox, and gofers for containers that come to it later.

`launch_sandbox` forks: no interpreter starts a second time, so there is no executable of ours to be
opened through /proc/self/exe (CVE-2019-5736), and nothing but what is passed on survives in the
child (CVE-2024-21626).  The sandbox is in a session of its own and becomes the child of whoever
reaps orphans when its starter ends (conmon, the shim); it ends with the status of the root
container's first process, 128+N when signal N ended that.

Everything before the root container's process exists is `created`; the control server
(runsc/control/server.py) answers from then on.
"""

from __future__ import annotations

import fcntl
import os
from _socket import AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_STREAM, socketpair
from _socket import socket as Socket

from runsc_py.runsc.confinement.processes import fork_sandbox
from runsc_py.runsc.containers.host_process import SIGKILL
from runsc_py.runsc.debug_log import SANDBOX, open_debug_log, open_log_file
from runsc_py.runsc.environment import forget_environment
from runsc_py.runsc.errors import EXIT_FAILURE, RunscError
from runsc_py.runsc.json_text import decode, encode
from runsc_py.runsc.panic import PanicReport
from runsc_py.runsc.sandbox_log import SandboxLog
from runsc_py.runsc.standard_files import close_others

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from runsc_py.gofer.nodes import Mount
    from runsc_py.runsc.config import Config
    from runsc_py.runsc.loader.root_gofer import RootGofer
    from runsc_py.runsc.oci.spec import Spec
    from runsc_py.runsc.runtime_log import RuntimeLog


#: what the sandbox says when the root container is created
CREATED = b"created"


class SandboxDied(RunscError):
    """It was killed before it could say anything."""


class SandboxRequest:
    """What a sandbox is to be: its root container, and where it is found afterwards."""

    def __init__(self, container_id: str, spec: Spec, config: Config, bundle: str) -> None:
        self.container_id = container_id
        self.spec = spec
        self.config = config
        #: directory that relative paths of the spec begin at
        self.bundle = bundle
        #: where the control server listens; made by the sandbox, mode 0600
        self.socket_path = ""
        #: descriptors for the root container's 0, 1 and 2, -1 for none
        self.standard_files = (0, 1, 2)
        #: the container's end of its terminal, instead of standard files; -1 for none
        self.terminal = -1
        #: guest number → descriptor of ours
        self.passed_files: dict[int, int] = {}
        #: the root container's program, open for reading; -1 when it has a name
        self.executable = -1
        #: of the root's files, by inode number: what the host does not know (images/owners.py)
        self.image_owners: dict[int, tuple[int, int, int]] | None = None
        #: a file for how it ended (runsc/exit_record.py); -1 for none
        self.exit_record = -1
        #: an archive that the root's upper layer begins with; -1 for none
        self.upper_archive = -1
        #: a file for what concerns the container's user; empty for none
        self.user_log = ""
        #: a file for a profile of the sandbox; set in it, -1 for none
        self.profile = -1
        #: a file for --final-metrics-log; the same
        self.metrics = -1
        #: what tells of a breakdown; made by the sandbox
        self.report: PanicReport | None = None
        #: a /proc of the sandbox's own PID namespace, known to the sandbox; -1 without one
        self.processes = -1
        #: of the root container; started by the sandbox
        self.gofer: RootGofer | None = None
        #: the engine's, which the sandbox appends to
        self.log: RuntimeLog | None = None
        #: called in the starter with the sandbox's process id before the sandbox goes on: cgroups
        self.join_resources: Callable[[int], None] | None = None


def launch_sandbox(request: SandboxRequest) -> int:
    """Start a sandbox; its process id once the root container is created and checked.

    Raises RunscError, with the last lines of the sandbox's log, when it does not come up: nothing
    is left behind then.
    """
    config, identifier = request.config, request.container_id
    files = [
        open_debug_log(config, SANDBOX, identifier),
        open_log_file("--panic-log", config.panic_log, identifier),
        open_log_file("--user-log", request.user_log, identifier),
        open_log_file("--profile", config.profile, identifier),
        open_log_file("--final-metrics-log", config.final_metrics_log, identifier),
    ]
    try:
        return _launch(request, files)
    finally:
        for descriptor in files:
            if descriptor >= 0:
                os.close(descriptor)


def _launch(request: SandboxRequest, files: list[int]) -> int:
    """`files`: of --debug-log, --panic-log, --user-log, --profile and --final-metrics-log."""
    gate, sandbox_gate = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC)
    report, report_writer = os.pipe2(os.O_CLOEXEC)
    pid, processes = fork_sandbox()
    if pid == 0:
        request.processes = processes
        gate.close()
        os.close(report)
        _run_sandbox(request, files, sandbox_gate.detach(), report_writer)
    sandbox_gate.close()
    os.close(report_writer)
    try:
        try:
            if request.join_resources is not None:
                request.join_resources(pid)
            _open_gate(gate)
        finally:
            gate.close()
        _check_report(_read_all(report))
    except BaseException:
        _end(pid)
        raise
    finally:
        os.close(report)
    return pid


def _open_gate(gate: Socket) -> None:
    try:
        gate.send(b"0", MSG_NOSIGNAL)
    except ConnectionError:
        return  # it has died; the report, or its absence, says why


def _read_all(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 16):
        parts.append(part)
    return b"".join(parts)


def _check_report(text: bytes) -> None:
    """What the sandbox said about its start; silence is its death.  Raises RunscError."""
    if text == CREATED:
        return
    if not text:
        raise SandboxDied("the sandbox was killed while it started")
    try:
        error = decode(text)
        message, status, log = str(error["message"]), int(error["status"]), str(error["log"])
    except (ValueError, KeyError, TypeError):
        raise RunscError("the sandbox failed, and did not say why") from None
    raise RunscError(f"{message}\n{log}" if log else message, status)


def _end(pid: int) -> None:
    """Kill a sandbox that is our child, and reap it."""
    try:
        os.kill(pid, SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return  # somebody has reaped it


def _run_sandbox(request: SandboxRequest, files: list[int], gate: int, report: int) -> None:
    """The whole life of the sandbox's process; never returns."""
    status = EXIT_FAILURE
    files = [_moved(descriptor) for descriptor in files]
    kept = {gate, report, *files}
    log = _make_log(request, files[0], files[2])
    request.profile, request.metrics = files[3:]
    if request.log is not None:
        kept |= {request.log.descriptor, request.log.standard_error}
    import signal

    try:
        os.setsid()
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        # The rest is not inherited from whoever creates containers.
        for number in (signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _keep_only(request, kept)
        forget_environment()
        request.report = PanicReport(request.container_id, files[1], request.exit_record, log)
        from runsc_py.runsc.confinement.network import enter_network
        from runsc_py.runsc.loader.root_gofer import start_root_gofer

        if os.read(gate, 1) != b"0":
            os._exit(status)  # who started us is gone
        os.close(gate)
        enter_network(request.spec, request.config, log)
        request.gofer = start_root_gofer(request.spec, request.config)
        from runsc_py.runsc.loader.sandbox import run_sandbox

        status = run_sandbox(request, log, lambda: _tell(report, CREATED))
    except RunscError as error:
        _tell_error(report, str(error), error.status, log)
    except Exception as error:
        # The last resort of a process that has nobody to raise to.
        text = f"internal error in the sandbox: {type(error).__name__}: {error}"
        if request.report is not None:
            request.report.write_exception(error)
        _tell_error(report, text, EXIT_FAILURE, log)
    finally:
        os._exit(status)


def _make_log(request: SandboxRequest, debug: int, user: int) -> SandboxLog:
    """`debug`, `user`: of --debug-log and --user-log, -1 for none."""
    config, engine = request.config, request.log
    if engine is not None:
        engine.descriptor = _moved(engine.descriptor)
        engine.debug_log = None  # the sandbox has its own
        # Our standard error will be /dev/null; whoever asks for the log there waits for us.
        engine.standard_error = _moved(2) if config.alsologtostderr else 2
    users = None
    if user >= 0:
        from runsc_py.runsc.log import DEBUG, INFO
        from runsc_py.runsc.runtime_log import RuntimeLog

        level = DEBUG if config.debug_to_user_log else INFO
        users = RuntimeLog(user, config.log_format, level, None)
    return SandboxLog(request.container_id, debug, engine, config.debug_log_format, users)


def _tell(report: int, text: bytes) -> None:
    """Only once: closed, the pipe tells that there is no more."""
    try:
        os.write(report, text)
        os.close(report)
    except OSError:
        return  # our starter is gone


def _tell_error(report: int, message: str, status: int, log: SandboxLog) -> None:
    text = encode({"message": message, "status": status, "log": log.tail()})
    _tell(report, text.encode(errors="backslashreplace"))


def _keep_only(request: SandboxRequest, kept: set[int]) -> None:
    """Of the starter's descriptors only `kept` and those that the request names survive.

    They are moved above 2, which become /dev/null.
    """
    first, second, third = request.standard_files if request.terminal < 0 else (-1, -1, -1)
    request.standard_files = (_moved(first), _moved(second), _moved(third))
    request.terminal = _moved(request.terminal)
    request.exit_record = _moved(request.exit_record)
    request.processes = _moved(request.processes)
    request.passed_files = {guest: _moved(one) for guest, one in request.passed_files.items()}
    request.executable = _moved(request.executable)
    request.upper_archive = _moved(request.upper_archive)
    kept = kept | {request.terminal, request.exit_record, request.executable, request.processes}
    kept.add(request.upper_archive)
    kept.update(request.standard_files, request.passed_files.values())
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    close_others(kept)


def _moved(descriptor: int) -> int:
    if descriptor < 0:
        return -1
    try:
        moved: int = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    except OSError:  # it was closed when we were started
        return -1
    return moved


class SubcontainerGofer:
    """A gofer for one container: what StartSubcontainer needs of it."""

    def __init__(self, pid: int, descriptor: int, gofer_mounts: list[str]) -> None:
        #: of the gofer's process, which ends by itself when the sandbox closes the connection
        self.pid = pid
        #: connection to donate; the caller closes its copy
        self.descriptor = descriptor
        #: calls.StartSubcontainer.gofer_mounts
        self.gofer_mounts = gofer_mounts


def start_subcontainer_gofer(
    spec: Spec, config: Config, annotations: Mapping[str, str]
) -> SubcontainerGofer:
    """Fork the gofer of a container that is to be started in a running sandbox.

    `annotations`: of the sandbox's root container.
    """
    from runsc_py.gofer.process import start_detached_gofer
    from runsc_py.runsc.confinement.walls import confine_gofer
    from runsc_py.runsc.loader.gofer_mounts import plan_gofer_mounts

    mounts, layers = plan_gofer_mounts(spec, config, annotations)
    if config.fdlimit >= 0:
        from runsc_py.gofer.process import raise_descriptor_limit

        raise_descriptor_limit(config.fdlimit)

    def confine(mounts: Sequence[Mount]) -> None:
        forget_environment()  # it outlives us
        confine_gofer(mounts)

    connection = start_detached_gofer(mounts, confine)
    descriptor = connection.socket.detach()
    return SubcontainerGofer(connection.pid, descriptor, [str(one) for one in layers])
