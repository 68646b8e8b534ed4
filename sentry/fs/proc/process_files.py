"""The text files of /proc/PID that are about one process: proc_pid(5) and its pages."""

from runsc_py.sentry.auth.capabilities import CAP_AUDIT_CONTROL, CAP_SYS_RESOURCE
from runsc_py.sentry.errors import EACCES, EINVAL, EPERM, ESRCH
from runsc_py.sentry.kernel.io_accounting import IoAccounting
from runsc_py.sentry.kernel.limits import RLIM_INFINITY
from runsc_py.sentry.kernel.task import RUNNING
from runsc_py.sentry.kernel.timer_slack import timer_slack_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.fs.proc.process import Subject
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task

#: longest comm, without its NUL
NAME_SIZE = 15

_LIMIT_LINES = (
    ("Max cpu time", "seconds"),
    ("Max file size", "bytes"),
    ("Max data size", "bytes"),
    ("Max stack size", "bytes"),
    ("Max core file size", "bytes"),
    ("Max resident set", "bytes"),
    ("Max processes", "processes"),
    ("Max open files", "files"),
    ("Max locked memory", "bytes"),
    ("Max address space", "bytes"),
    ("Max file locks", "locks"),
    ("Max pending signals", "signals"),
    ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""),
    ("Max realtime priority", ""),
    ("Max realtime timeout", "us"),
)


def command_line(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_cmdline(5); empty for a zombie."""
    return b"" if subject.is_gone else subject.task.memory.command_line()


def environment(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_environ(5)."""
    return b"" if subject.is_gone else subject.task.memory.environment()


def auxiliary_vector(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_auxv(5)."""
    return b"" if subject.is_gone else subject.task.memory.auxiliary_vector()


def comm(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_comm(5)."""
    return subject.task.name + b"\n"


def set_comm(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Only threads of the process itself may; anything too long is cut."""
    if writer.thread_group is not subject.group:
        raise EINVAL
    subject.task.name = data[:NAME_SIZE].split(b"\0", 1)[0]


def maps(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_maps(5)."""
    return b"" if subject.is_gone else subject.task.memory.maps_text()


def smaps(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_smaps(5)."""
    return b"" if subject.is_gone else subject.task.memory.smaps_text()


def smaps_rollup(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """The sums of smaps over all mappings."""
    return b"" if subject.is_gone else subject.task.memory.smaps_rollup_text()


def limits(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_limits(5)."""
    lines = ["Limit                     Soft Limit           Hard Limit           Units     "]
    for resource, (name, unit) in enumerate(_LIMIT_LINES):
        soft, hard = (
            "unlimited" if value == RLIM_INFINITY else str(value)
            for value in subject.group.limits.get(resource)
        )
        lines.append(f"{name:<25} {soft:<20} {hard:<20} {unit and unit.ljust(10)}")
    return "\n".join(lines).encode() + b"\n"


def io(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_io(5): of one thread, or of all with those that ended and waited-for children."""
    done = IoAccounting()
    if subject.thread is None:
        done.add(subject.group.past_io)
    for task in subject.group.tasks if subject.thread is None else [subject.thread]:
        done.add(task.io)
    counts = (done.characters_read, done.characters_written, done.reads, done.writes, 0, 0, 0)
    names = b"rchar wchar syscr syscw read_bytes write_bytes cancelled_write_bytes".split()
    return b"".join(b"%s: %d\n" % pair for pair in zip(names, counts, strict=True))


def cgroup(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_cgroup(5): the root of the one version 2 hierarchy."""
    return b"0::/\n"


def wait_channel(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_wchan(5): there are no kernel addresses to name."""
    return b"0"


def schedstat(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """Nanoseconds on a processor, nanoseconds waiting for one, number of time slices."""
    if subject.is_gone:
        return b"0 0 0\n"
    return b"%d 0 0\n" % (subject.task.user_time() + subject.task.system_time())


NOBODY = 0xFFFFFFFF


def login_uid(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """Who logged in, for audit(7); -1 for nobody."""
    uid = subject.task.extras.get("login_uid", NOBODY)
    id_map = reader.credentials.user_namespace.uid_map
    return b"%d" % (uid if uid == NOBODY else id_map.map_to_namespace(uid))


def set_login_uid(subject: "Subject", writer: "Task", data: bytes) -> None:
    """One's own, once; a second time needs CAP_AUDIT_CONTROL.  Errors: EPERM, EINVAL."""
    if writer is not subject.task:
        raise EPERM
    value = data.strip()
    if not value.isdigit() or int(value) > NOBODY:
        raise EINVAL
    uid = int(value)
    if uid != NOBODY:
        mapped = writer.credentials.user_namespace.uid_map.to_global(uid)
        if mapped is None:
            raise EINVAL
        uid = mapped
    if "login_uid" in writer.extras and not writer.credentials.has_capability(CAP_AUDIT_CONTROL):
        raise EPERM
    kernel = writer.kernel
    kernel.audit_sessions += 1
    writer.extras["login_uid"] = uid
    writer.extras["audit_session"] = NOBODY if uid == NOBODY else kernel.audit_sessions


def session_identifier(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """The audit session: a number for each login."""
    return b"%d" % subject.task.extras.get("audit_session", NOBODY)


def personality(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """personality(2), hexadecimal."""
    value = subject.task.extras.get("personality", 0)
    return b"%08x\n" % (value if isinstance(value, int) else 0)


def children(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_tid_children(5).  Children belong to the process here, so its leader shows them all."""
    if subject.task is not subject.group.leader:
        return b""
    numbers = (child.identifier_in(namespace) for child in subject.group.children)
    return b"".join(b"%d " % number for number in numbers if number)


def timer_slack(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """PR_SET_TIMERSLACK, nanoseconds."""
    return b"%d\n" % timer_slack_of(subject.task)


def cpuset(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """cpuset(7): everybody is in the root."""
    return b"/\n"


def system_call(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """proc_pid_syscall(5): "running", or the call that it is in, with its arguments."""
    task = subject.task
    if subject.is_gone or task.state == RUNNING or task.syscall is None:
        return b"running\n"
    registers = task.context.registers
    values = [
        registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9,
        registers.rsp, registers.rip,
    ]  # fmt: skip
    return b"%d %s\n" % (task.syscall.number, " ".join(map(hex, values)).encode())


def coredump_filter(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """core(5): which mappings a core dump would have."""
    return b"" if subject.is_gone else b"%08x\n" % subject.task.memory.dump_filter


def set_coredump_filter(subject: "Subject", writer: "Task", data: bytes) -> None:
    """It is kept and inherited; nobody writes core files.  Errors: EINVAL, ESRCH."""
    try:
        value = int(data, 0)
    except ValueError:
        raise EINVAL from None
    if subject.is_gone:
        raise ESRCH
    subject.task.memory.dump_filter = value & 0x1FF


# -- out of memory: proc_pid_oom_score_adj(5) ----------------------------------------------


def oom_score(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """0 to 2000; from the adjustment alone."""
    return b"%d\n" % max(0, 666 + subject.group.oom_score_adjustment * 2 // 3)


def oom_score_adjustment(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """-1000 to 1000."""
    return b"%d\n" % subject.group.oom_score_adjustment


def set_oom_score_adjustment(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Errors: EINVAL, EACCES (a lower value without CAP_SYS_RESOURCE)."""
    value = _parse_integer(data)
    if not -1000 <= value <= 1000:
        raise EINVAL
    _adjust(subject, writer, value)


def oom_adjustment(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """The old scale, -17 to 15."""
    value = subject.group.oom_score_adjustment
    return b"%d\n" % (15 if value == 1000 else int(value * 17 / 1000))


def set_oom_adjustment(subject: "Subject", writer: "Task", data: bytes) -> None:
    """Errors: as for the new scale."""
    value = _parse_integer(data)
    if not -17 <= value <= 15:
        raise EINVAL
    _adjust(subject, writer, 1000 if value == 15 else int(value * 1000 / 17))


def _adjust(subject: "Subject", writer: "Task", value: int) -> None:
    lowers = value < subject.group.oom_score_adjustment
    if lowers and not writer.credentials.has_capability(CAP_SYS_RESOURCE):
        raise EACCES
    subject.group.oom_score_adjustment = value


def _parse_integer(data: bytes) -> int:
    try:
        return int(data.strip(b" \n\0"))
    except ValueError:
        raise EINVAL from None
