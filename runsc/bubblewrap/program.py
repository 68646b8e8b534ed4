"""What bubblewrap's options say of the program itself: rights, filters, where it begins."""

import os

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import RunOptions
from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES
from runsc_py.sentry.errors import KernelError, message_of
from runsc_py.sentry.kernel.kernel_thread import KernelThread
from runsc_py.sentry.kernel.process_creation import ProcessArguments
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.seccomp import Filter


def apply_setup(walker: KernelThread, arguments: ProcessArguments, options: RunOptions) -> None:
    """Change a process that is not made yet.  Raises RunscError."""
    setup = options.setup
    assert setup is not None
    arguments.no_new_privileges = True
    if setup.capabilities is not None:
        held = setup.capabilities & ALL_CAPABILITIES
        arguments.credentials = arguments.credentials.replace(
            permitted=held, effective=held, inheritable=held, ambient=held
        )
    if not setup.nested_users:
        walker.kernel.root_user_namespace.maximums["user"] = 0
    directory = _directory(walker, options)
    arguments.working_directory = directory
    arguments.environment = [
        entry for entry in arguments.environment if not entry.startswith(b"PWD=")
    ]
    arguments.environment.append(b"PWD=" + directory)
    arguments.seccomp_filter = _filters(setup.filters)


def _directory(walker: KernelThread, options: RunOptions) -> bytes:
    """The one that was named, ours, the home directory or the root: the first that is there."""
    assert options.setup is not None
    if options.setup.has_directory:
        name = os.fsencode(options.working_directory or "")
        try:
            if walk(walker, name).inode.is_directory:
                return name if name.startswith(b"/") else b"/" + name
            reason = "Not a directory"
        except KernelError as error:
            reason = message_of(error)
        raise RunscError(f"Can't chdir to {os.fsdecode(name)}: {reason}")
    candidates = (os.getcwd(), options.environment.get("HOME", ""))
    for candidate in filter(None, candidates):
        try:
            if walk(walker, os.fsencode(candidate)).inode.is_directory:
                return os.fsencode(candidate)
        except KernelError:
            continue
    return b"/"


def _filters(programs: list[bytes]) -> "Filter | None":
    """The newest of the chain; None without any."""
    if not programs:
        return None
    from runsc_py.sentry.abi.seccomp import SOCK_FILTER
    from runsc_py.sentry.kernel.seccomp import Filter

    newest: Filter | None = None
    for raw in programs:
        size = SOCK_FILTER.size
        program = [SOCK_FILTER.unpack_from(raw, at) for at in range(0, len(raw), size)]
        try:
            newest = Filter(program, newest, False)
        except KernelError as error:
            raise RunscError(f"--seccomp: {message_of(error)}") from None
    return newest
