"""A kernel and its first task, ready to be given a program.

Everything that the sandbox needs of the sentry is imported by way of this module, after the gofer
and the stubs were started: they are copies of this process, and a small one is copied sooner.
"""

import os
import signal
import struct
from collections.abc import Callable

from runsc_py.gofer.client import GoferClient
from runsc_py.platform.interface import Platform
from runsc_py.runsc.host_signals import inherit_ignored_signals
from runsc_py.runsc.mount_plan import mount_everything, mount_root
from runsc_py.runsc.options import RunOptions
from runsc_py.runsc.program import execute_command, set_up
from runsc_py.runsc.supervision import SECOND
from runsc_py.sentry.abi.elf import AT_EXECFN, AT_HWCAP, AT_HWCAP2
from runsc_py.sentry.abi.memory import PAGE_SIZE
from runsc_py.sentry.auth.capabilities import ALL_CAPABILITIES
from runsc_py.sentry.auth.credentials import Credentials
from runsc_py.sentry.fs.anonymous import AnonymousFileSystem
from runsc_py.sentry.fs.dev.registry import standard_devices
from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
from runsc_py.sentry.fs.types import standard_file_systems
from runsc_py.sentry.kernel.fd_table import FdTable
from runsc_py.sentry.kernel.file_context import FileContext
from runsc_py.sentry.kernel.kernel import Kernel, Log
from runsc_py.sentry.kernel.limits import RLIMIT_NOFILE, Limits, SandboxLimits
from runsc_py.sentry.kernel.namespaces import Namespaces
from runsc_py.sentry.kernel.options import KernelOptions
from runsc_py.sentry.kernel.scheduling import Scheduling, set_scheduling
from runsc_py.sentry.kernel.sessions import ProcessGroup, Session
from runsc_py.sentry.kernel.signals import SignalHandlers
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.kernel.thread_group import ThreadGroup
from runsc_py.sentry.mm.memory_manager import MemoryManager
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.path import Dentry


def boot(platform: Platform, client: GoferClient, options: RunOptions, log: Log) -> Kernel:
    """A kernel whose first task is about to run the command.  Raises RunscError."""
    kernel = make_kernel(platform, options, log)
    mount_root(kernel, client, options)
    task = make_first_task(kernel, options)
    mount_everything(kernel, client, options, task)
    set_up(task, options)
    if options.strace is not None:
        from runsc_py.runsc.tracing import open_strace

        kernel.strace = open_strace(kernel, options.strace)
    execute_command(task, options)
    return kernel


def make_kernel(platform: Platform, options: RunOptions, log: Log, processes: int = -1) -> Kernel:
    """A kernel without mounts and tasks; `processes` as in KernelOptions."""
    vector = _auxiliary_vector()
    kernel = Kernel(
        platform,
        KernelOptions(
            host_name=os.fsencode(options.host_name or os.uname().nodename),
            limits=SandboxLimits(
                memory=options.memory,
                pids=options.pids,
                files=options.files,
                cpu=int(options.cpu * SECOND) if options.cpu is not None else None,
            ),
            network=options.network,
            processors=platform.processors,
            cpu_information=host_file_reader("/proc/cpuinfo"),
            hardware_capabilities=(vector.get(AT_HWCAP, 0), vector.get(AT_HWCAP2, 0)),
            stack_ceiling=vector[AT_EXECFN] & ~(PAGE_SIZE - 1),
            processes=processes,
        ),
        log,
    )
    anonymous = AnonymousFileSystem(kernel)
    kernel.anonymous_mount = Mount(0, anonymous, Dentry(b"", None, anonymous.root), 0)
    kernel.devices = standard_devices()
    kernel.file_systems = standard_file_systems()
    kernel.terminals = TerminalRegistry(kernel)
    return kernel


def make_first_task(kernel: Kernel, options: RunOptions) -> Task:
    """The first process, without a program yet."""
    limits = Limits()
    if options.files is not None:
        limits.set(RLIMIT_NOFILE, options.files, options.files)
    group = ThreadGroup(kernel, kernel.root_pid_namespace, SignalHandlers(), limits, signal.SIGCHLD)
    context = kernel.platform.new_address_space()
    root = kernel.root_mount_namespace.root.root_path
    task = Task(
        kernel,
        group,
        context,
        credentials=Credentials(
            uid=0,
            gid=0,
            user_namespace=kernel.root_user_namespace,
            permitted=ALL_CAPABILITIES,
            effective=ALL_CAPABILITIES,
        ),
        memory=MemoryManager(kernel, context.address_space),
        files=FdTable(limits),
        file_context=FileContext(root, root, _umask()),
        namespaces=Namespaces(
            kernel.root_mount_namespace,
            kernel.new_uts_namespace(kernel.options.host_name),
            kernel.new_ipc_namespace(),
            kernel.new_network_namespace(),
            kernel.root_time_namespace,
            kernel.root_cgroup_namespace,
        ),
        name=b"runsc-py",
    )
    group.leader = task
    group.tasks.append(task)
    set_scheduling(task, Scheduling(nice=os.getpriority(os.PRIO_PROCESS, 0)))
    kernel.init = group
    session = Session(group)
    session.has_outside_parent = _is_watched_over()
    ProcessGroup(session, group).add(group)
    inherit_ignored_signals(group)
    return task


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


def _umask() -> int:
    """Ours, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def host_file_reader(path: str) -> Callable[[], bytes]:
    """A function that reads a host file; it is opened now, while paths of the host are seen."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read() -> bytes:
        content = b""
        while chunk := os.pread(descriptor, 1 << 16, len(content)):
            content += chunk
        return content

    return read


def _auxiliary_vector() -> dict[int, int]:
    """What the host told this process at its start (getauxval(3)); stubs are copies of it."""
    with open("/proc/self/auxv", "rb") as vector:
        return dict(struct.iter_unpack("<QQ", vector.read()))
