"""A kernel and its first process, ready to be started.

Everything that the sandbox needs of the sentry is imported by way of this module, after the gofer
and the stubs were started: they are copies of this process, and a small one is copied sooner.
"""

import os
import struct
from collections.abc import Callable

from runsc_py.gofer.client import GoferClient
from runsc_py.platform.interface import Platform
from runsc_py.runsc.mount_plan import mount_everything
from runsc_py.runsc.options import RunOptions
from runsc_py.runsc.program import create_first_process
from runsc_py.runsc.supervision import SECOND
from runsc_py.sentry.abi.elf import AT_EXECFN, AT_HWCAP, AT_HWCAP2
from runsc_py.sentry.abi.memory import PAGE_SIZE
from runsc_py.sentry.fs.anonymous import AnonymousFileSystem
from runsc_py.sentry.fs.dev.registry import standard_devices
from runsc_py.sentry.fs.devpts.registry import TerminalRegistry
from runsc_py.sentry.fs.types import standard_file_systems
from runsc_py.sentry.kernel.kernel import Kernel, Log
from runsc_py.sentry.kernel.limits import SandboxLimits
from runsc_py.sentry.kernel.options import KernelOptions
from runsc_py.sentry.vfs.mount import Mount
from runsc_py.sentry.vfs.path import Dentry


def boot(platform: Platform, client: GoferClient, options: RunOptions, log: Log) -> Kernel:
    """A kernel whose first process is about to run the command.  Raises RunscError."""
    kernel = make_kernel(platform, options, log)
    if options.setup is not None:
        from runsc_py.runsc.bubblewrap.building import build

        tree = build(kernel, client, options)
    else:
        tree = mount_everything(kernel, client, options)
    if options.strace is not None:
        from runsc_py.runsc.tracing import make_strace

        kernel.strace = make_strace(kernel, options.strace_descriptor)
    create_first_process(tree, options)
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
