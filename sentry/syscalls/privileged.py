"""Calls that need a capability which no sandbox can honour.

They fail with EPERM without the capability, as on Linux, and with ENOSYS for the root user of the
sandbox, who is told the truth: this kernel has no such thing.
"""

from runsc_py.sentry.auth.capabilities import (
    CAP_SYS_ADMIN,
    CAP_SYS_BOOT,
    CAP_SYS_MODULE,
    CAP_SYS_PACCT,
    CAP_SYS_RAWIO,
    CAP_SYS_TTY_CONFIG,
)
from runsc_py.sentry.errors import ENOSYS, EPERM
from runsc_py.sentry.kernel.task import Task
from runsc_py.sentry.syscalls.table import Support, syscall
from runsc_py.sentry.syscalls.types import (
    Address,
    Fd,
    Int,
    PathAddress,
    StringAddress,
    UnsignedInt,
    UnsignedLong,
)

_NOTE = "EPERM without {}, else ENOSYS"


def _refuse(task: Task, capability: int) -> int:
    if not task.credentials.has_capability(capability):
        raise EPERM
    raise ENOSYS


@syscall(153, "vhangup", support=Support.PARTIAL, note="open descriptors stay usable")
def vhangup(task: Task) -> int:
    """vhangup(2)"""
    if not task.credentials.has_capability(CAP_SYS_TTY_CONFIG):
        raise EPERM
    session = task.thread_group.session
    if session is not None:
        task.kernel.hang_up_terminal(session)
    return 0


@syscall(163, "acct", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_PACCT"))
def acct(task: Task, path: PathAddress) -> int:
    """acct(2)"""
    return _refuse(task, CAP_SYS_PACCT)


@syscall(167, "swapon", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_ADMIN"))
def swapon(task: Task, path: PathAddress, flags: Int) -> int:
    """swapon(2)"""
    return _refuse(task, CAP_SYS_ADMIN)


@syscall(168, "swapoff", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_ADMIN"))
def swapoff(task: Task, path: PathAddress) -> int:
    """swapoff(2)"""
    return _refuse(task, CAP_SYS_ADMIN)


@syscall(169, "reboot", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_BOOT"))
def reboot(task: Task, magic: Int, magic2: Int, command: UnsignedInt, argument: Address) -> int:
    """reboot(2)"""
    return _refuse(task, CAP_SYS_BOOT)


@syscall(172, "iopl", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_RAWIO"))
def iopl(task: Task, level: UnsignedInt) -> int:
    """iopl(2)"""
    return _refuse(task, CAP_SYS_RAWIO)


@syscall(173, "ioperm", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_RAWIO"))
def ioperm(task: Task, first: UnsignedLong, count: UnsignedLong, turn_on: Int) -> int:
    """ioperm(2)"""
    return _refuse(task, CAP_SYS_RAWIO)


@syscall(175, "init_module", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_MODULE"))
def init_module(task: Task, image: Address, size: UnsignedLong, arguments: StringAddress) -> int:
    """init_module(2)"""
    return _refuse(task, CAP_SYS_MODULE)


@syscall(176, "delete_module", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_MODULE"))
def delete_module(task: Task, name: StringAddress, flags: UnsignedInt) -> int:
    """delete_module(2)"""
    return _refuse(task, CAP_SYS_MODULE)


@syscall(313, "finit_module", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_MODULE"))
def finit_module(task: Task, fd: Fd, arguments: StringAddress, flags: Int) -> int:
    """finit_module(2)"""
    return _refuse(task, CAP_SYS_MODULE)


@syscall(179, "quotactl", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_ADMIN"))
def quotactl(
    task: Task, command: UnsignedInt, device: PathAddress, identifier: Int, address: Address
) -> int:
    """quotactl(2)"""
    return _refuse(task, CAP_SYS_ADMIN)


@syscall(246, "kexec_load", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_BOOT"))
def kexec_load(
    task: Task,
    entry: Address,
    count: UnsignedLong,
    segments: Address,
    flags: UnsignedLong,
) -> int:
    """kexec_load(2)"""
    return _refuse(task, CAP_SYS_BOOT)


@syscall(320, "kexec_file_load", support=Support.UNSUPPORTED, note=_NOTE.format("CAP_SYS_BOOT"))
def kexec_file_load(
    task: Task,
    kernel_fd: Fd,
    initrd_fd: Fd,
    size: UnsignedLong,
    command_line: StringAddress,
    flags: UnsignedLong,
) -> int:
    """kexec_file_load(2)"""
    return _refuse(task, CAP_SYS_BOOT)
