"""The first program of `run`: who it runs as, where, and which file it is.

Everything here happens inside: names are looked up in the sandbox's own tree.
"""

import os

from runsc_py.runsc.assembly import MountTree, give_files
from runsc_py.runsc.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, RunscError
from runsc_py.runsc.host_signals import inherit_ignored_signals
from runsc_py.runsc.options import RunOptions
from runsc_py.sentry.auth.credentials import Credentials, user_credentials
from runsc_py.sentry.errors import EACCES, ENOENT, ENOTDIR, KernelError
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.limits import RLIMIT_NOFILE, Limits
from runsc_py.sentry.kernel.process_creation import (
    CreationError,
    NoWorkingDirectory,
    ProcessArguments,
    create_process,
)
from runsc_py.sentry.kernel.scheduling import Scheduling
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.vfs.walk import walk

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def create_first_process(tree: MountTree, options: RunOptions) -> ThreadGroup:
    """The process that runs the command, not started.  Raises RunscError."""
    walker = tree.walker
    limits = Limits()
    if options.files is not None:
        limits.set(RLIMIT_NOFILE, options.files, options.files)
    credentials = _credentials(walker, options)
    argv = [os.fsencode(argument) for argument in options.command]
    arguments = ProcessArguments(argv, credentials, limits)
    arguments.environment = [
        os.fsencode(f"{key}={value}") for key, value in options.environment.items()
    ]
    arguments.namespaces = walker.namespaces
    arguments.umask = _umask()
    arguments.scheduling = Scheduling(nice=os.getpriority(os.PRIO_PROCESS, 0))
    if options.setup is None:
        arguments.working_directory = _working_directory(walker, options.working_directory)
    controls_terminal = True
    if options.setup is not None:
        from runsc_py.runsc.bubblewrap.program import apply_setup

        apply_setup(walker, arguments, options)
        controls_terminal = options.setup.controls_terminal
    descriptors = dict(enumerate(options.standard_files))
    terminals = walker.kernel.terminals
    give_files(arguments, terminals, descriptors, controls_terminal=controls_terminal)
    try:
        group = _create(walker, arguments, options)
    finally:
        arguments.files.release(walker)
    assert group.session is not None
    group.session.has_outside_parent = _is_watched_over()
    inherit_ignored_signals(group)
    return group


def _credentials(walker: KernelThread, options: RunOptions) -> Credentials:
    """The superuser, or whom `--user` names."""
    namespace = walker.kernel.root_user_namespace
    if options.user is None:
        return user_credentials(namespace, 0, 0)
    from runsc_py.runsc.loader.identity import look_up_user

    try:
        identity = look_up_user(walker, options.user)
    except RunscError as error:
        raise RunscError(f"--user {error}") from None
    if identity.home is not None and not options.keeps_home:
        options.environment["HOME"] = identity.home
    return user_credentials(namespace, identity.uid, identity.gid, identity.groups)


def _umask() -> int:
    """Ours, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _working_directory(walker: KernelThread, wanted: str | None) -> bytes:
    """The one asked for, else the host's current one where the sandbox has it, else `/`."""
    if wanted is not None and wanted.startswith("/"):
        name = wanted
    else:
        try:
            name = os.path.join(os.getcwd(), wanted or "")
        except OSError:
            raise RunscError("the current directory is gone; see --workdir") from None
    try:
        path = walk(walker, os.fsencode(name))
        if not path.inode.is_directory:
            raise ENOTDIR
    except KernelError:
        # What was asked for may be there when the process is: /proc/self.
        return b"/" if wanted is None else os.fsencode(name)
    walker.file_context.working_directory = path
    return os.fsencode(name)


def _create(walker: KernelThread, arguments: ProcessArguments, options: RunOptions) -> ThreadGroup:
    """The process with its program, which is found through PATH as execvp(3) does."""
    name = options.command[0]
    denied, lost = False, 0
    for candidate in _candidates(options):
        arguments.file_name = os.fsencode(candidate)
        try:
            return create_process(walker.kernel, arguments)[0]
        except NoWorkingDirectory as error:
            lost = error.number
        except CreationError as error:
            if error.number == EACCES.number:
                denied = True
            elif error.number not in (ENOENT.number, ENOTDIR.number):
                message = f"{name}: {os.strerror(error.number)}" if error.number else str(error)
                raise RunscError(message, EXIT_NOT_EXECUTABLE) from None
    if lost:
        raise RunscError(f"--workdir {options.working_directory}: {os.strerror(lost)}")
    if denied:
        raise RunscError(f"{name}: Permission denied", EXIT_NOT_EXECUTABLE)
    raise RunscError(_not_found(walker, options), EXIT_NOT_FOUND)


def _candidates(options: RunOptions) -> list[str]:
    name = options.command[0]
    if "/" in name:
        return [name]
    directories = options.environment.get("PATH", DEFAULT_PATH).split(":")
    return [os.path.join(directory or ".", name) for directory in directories]


def _not_found(walker: KernelThread, options: RunOptions) -> str:
    """Why none of the candidates could be found: one may be there, its interpreter not."""
    name = options.command[0]
    reason = ENOENT.number
    for candidate in _candidates(options):
        try:
            walk(walker, os.fsencode(candidate))
        except KernelError as error:
            reason = error.number
            continue
        return (
            f"{candidate}: its interpreter is missing in the sandbox "
            f"(see `file {candidate}`, `head -1`)"
        )
    if "/" not in name:
        return f"{name}: command not found in the sandbox's PATH"
    return f"{name}: {os.strerror(reason)}"


def _is_watched_over() -> bool:
    """Whether a shell with job control started us: our process group is not orphaned.

    Its leader, or we, then have a parent in another group of our session.
    """
    group, session, process = os.getpgrp(), os.getsid(0), os.getppid()
    try:
        while os.getpgid(process) == group:
            with open(f"/proc/{process}/stat", "rb") as stat:
                process = int(stat.read().rpartition(b")")[2].split()[1])
        return os.getsid(process) == session
    except OSError:  # it ended, or is outside of our pid namespace
        return False
