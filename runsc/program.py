"""The sandbox's first program: who it runs as, where, and which file it is.

Everything here happens inside: names are looked up in the sandbox's own tree, by the first task.
"""

import os

from runsc_py.runsc.errors import EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, RunscError
from runsc_py.runsc.options import RunOptions
from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES
from runsc_py.sentry.errors import EACCES, ENOENT, ENOTDIR, KernelError
from runsc_py.sentry.fs.host_stdio import open_standard_files
from runsc_py.sentry.kernel.execution import execute
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.vfs.walk import walk

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def set_up(task: Task, options: RunOptions) -> None:
    """Standard files, controlling terminal, user and working directory."""
    kernel = task.kernel
    if options.user is not None:
        _become(task, options, options.user)
    owner = (task.credentials.euid, task.credentials.egid)
    files = open_standard_files(kernel.terminals, options.standard_files, owner)
    for number, file in enumerate(files):
        if file is not None:
            task.files.install(number, file)
    if kernel.terminals.host is not None:
        kernel.terminals.host.make_controlling(task.thread_group)
    _enter_working_directory(task, options.working_directory)


def _become(task: Task, options: RunOptions, user: str) -> None:
    from runsc_py.runsc.loader.identity import look_up_user

    try:
        identity = look_up_user(task, user)
    except RunscError as error:
        raise RunscError(f"--user {error}") from None
    uid, gid, home = identity.uid, identity.gid, identity.home
    capabilities = ALL_CAPABILITIES if uid == 0 else 0
    task.credentials = task.credentials.replace(
        uid=uid, euid=uid, suid=uid, fsuid=uid,
        gid=gid, egid=gid, sgid=gid, fsgid=gid,
        groups=identity.groups, permitted=capabilities, effective=capabilities,
    )  # fmt: skip
    if home is not None and not options.keeps_home:
        options.environment["HOME"] = home


def _enter_working_directory(task: Task, wanted: str | None) -> None:
    """The one asked for, else the host's current one where the sandbox has it, else `/`."""
    if wanted is not None and wanted.startswith("/"):
        name = wanted
    else:
        try:
            name = os.path.join(os.getcwd(), wanted or "")
        except OSError:
            raise RunscError("the current directory is gone; see --workdir") from None
    try:
        path = walk(task, os.fsencode(name))
        if not path.inode.is_directory:
            raise ENOTDIR
    except KernelError as error:
        if wanted is None:
            return
        raise RunscError(f"--workdir {wanted}: {os.strerror(error.number)}") from None
    task.file_context.working_directory = path


def execute_command(task: Task, options: RunOptions) -> None:
    """execve of the command; found through PATH as execvp(3) does.  Raises RunscError."""
    name = options.command[0]
    environment = [os.fsencode(f"{key}={value}") for key, value in options.environment.items()]
    arguments = [os.fsencode(argument) for argument in options.command]
    denied = False
    for candidate in _candidates(options):
        path = os.fsencode(candidate)
        try:
            execute(task, walk(task, path), path, arguments, environment)
            return
        except (ENOENT, ENOTDIR):
            continue
        except EACCES:
            denied = True
        except KernelError as error:
            message = f"{name}: {os.strerror(error.number)}"
            raise RunscError(message, EXIT_NOT_EXECUTABLE) from None
    if denied:
        raise RunscError(f"{name}: Permission denied", EXIT_NOT_EXECUTABLE)
    raise RunscError(_not_found(task, options), EXIT_NOT_FOUND)


def _candidates(options: RunOptions) -> list[str]:
    name = options.command[0]
    if "/" in name:
        return [name]
    directories = options.environment.get("PATH", DEFAULT_PATH).split(":")
    return [os.path.join(directory or ".", name) for directory in directories]


def _not_found(task: Task, options: RunOptions) -> str:
    """Why none of the candidates could be found: one may be there, its interpreter not."""
    name = options.command[0]
    reason = ENOENT.number
    for candidate in _candidates(options):
        try:
            walk(task, os.fsencode(candidate))
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
