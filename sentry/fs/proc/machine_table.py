"""Which names /proc has besides processes, `self` and `thread-self`, in the order of listing."""

from runsc_py.sentry.fs.proc import kernel_config, locks, machine, sysvipc
from runsc_py.sentry.fs.synthetic import (
    Custom,
    File,
    Link,
    Specification,
    SyntheticFileSystem,
)
from runsc_py.sentry.vfs.inode import Inode


def _make_settings(filesystem: SyntheticFileSystem) -> Inode:
    from runsc_py.sentry.fs.proc.settings import make_tree
    from runsc_py.sentry.fs.synthetic import build

    return build(filesystem, make_tree())


_DEVICES = (
    b"Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n"
    b" 10 misc\n128 ptm\n136 pts\n\nBlock devices:\n"
)
_CONTROLLERS = b"cpuset cpu io memory pids"
_TERMINAL_DRIVERS = (
    b"/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
    b"/dev/console         /dev/console    5       1 system:console\n"
    b"/dev/ptmx            /dev/ptmx       5       2 system\n"
    b"pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
    b"pty_master           /dev/ptm      128 0-1048575 pty:master\n"
)
FILES: dict[bytes, Specification] = {
    b"cgroups": b"#subsys_name\thierarchy\tnum_cgroups\tenabled\n"
    + b"".join(b"%s\t0\t1\t1\n" % name for name in _CONTROLLERS.split()),
    b"cmdline": b"\n",
    b"config.gz": File(kernel_config.configuration),
    b"cpuinfo": File(machine.processor_information),
    b"devices": _DEVICES,
    b"diskstats": b"",
    b"filesystems": File(machine.file_systems),
    b"interrupts": b"",
    b"loadavg": File(machine.load_average),
    b"locks": File(locks.locks),
    b"meminfo": File(machine.memory_information),
    b"misc": b"",
    b"modules": b"",
    b"mounts": Link(b"self/mounts"),
    b"net": Link(b"self/net"),
    b"partitions": b"major minor  #blocks  name\n\n",
    b"stat": File(machine.statistics),
    b"swaps": b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
    b"sys": Custom(_make_settings),
    b"sysvipc": {
        b"msg": File(sysvipc.messages),
        b"sem": File(sysvipc.semaphores),
        b"shm": File(sysvipc.shared_memory),
    },
    b"tty": {b"drivers": _TERMINAL_DRIVERS, b"ldiscs": b"n_tty       0\n"},
    b"uptime": File(machine.uptime),
    b"version": File(machine.version),
    b"vmstat": File(machine.memory_statistics),
}
