"""/proc/PID/stat, statm and status: proc_pid_stat(5), proc_pid_statm(5), proc_pid_status(5)."""

from runsc_py.sentry.abi.signals import SIG_DFL, SIG_IGN, SIGRTMAX, bit
from runsc_py.sentry.auth.user_counts import count
from runsc_py.sentry.fs.proc.access import may_inspect
from runsc_py.sentry.kernel.clock import CLOCK_BOOTTIME
from runsc_py.sentry.kernel.limits import RLIM_INFINITY, RLIMIT_RSS, RLIMIT_SIGPENDING
from runsc_py.sentry.kernel.seccomp import filter_count
from runsc_py.sentry.kernel.seccomp import mode as seccomp_mode
from runsc_py.sentry.kernel.task import BLOCKED, STOPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from runsc_py.sentry.fs.proc.process import Subject
    from runsc_py.sentry.kernel.pid_namespace import PidNamespace
    from runsc_py.sentry.kernel.task import Task

    class _Numbered(Protocol):
        """A task, process, group or session."""

        def identifier_in(self, namespace: PidNamespace) -> int: ...


#: nanoseconds of one tick of sysconf(_SC_CLK_TCK)
CLOCK_TICK_NS = 10_000_000
PAGE_SIZE = 4096

_STATE_NAMES = {
    "R": "running",
    "S": "sleeping",
    "D": "disk sleep",
    "T": "stopped",
    "t": "tracing stop",
    "Z": "zombie",
    "X": "dead",
}


def state_letter(subject: "Subject") -> str:
    """The state as stat shows it."""
    task = subject.task
    if subject.is_gone:
        return "Z"
    if task.state == STOPPED:
        return "T"
    if task.tracing is not None and task.tracing.stop is not None:
        return "t"
    if task.state == BLOCKED:
        return "S" if task.interruptible else "D"
    return "R"


def parent_identifier(task: "Task", namespace: "PidNamespace") -> int:
    """PPid; 0 when the parent is not visible."""
    parent = task.thread_group.parent
    return 0 if parent is None else parent.identifier_in(namespace)


def signal_sets(task: "Task") -> tuple[int, int]:
    """(ignored, caught) as masks."""
    ignored = caught = 0
    for number, action in task.thread_group.handlers.actions.items():
        if action.handler == SIG_IGN:
            ignored |= bit(number)
        elif action.handler != SIG_DFL and number <= SIGRTMAX:
            caught |= bit(number)
    return ignored, caught


def cpu_ticks(subject: "Subject") -> tuple[int, int]:
    """User and system time in clock ticks."""
    owner = subject.group if subject.thread is None else subject.thread
    return owner.user_time() // CLOCK_TICK_NS, owner.system_time() // CLOCK_TICK_NS


def memory_pages(subject: "Subject") -> tuple[int, int, int, int, int]:
    """(size, resident, shared, text, data) in pages; zeros for a zombie."""
    return (0, 0, 0, 0, 0) if subject.is_gone else subject.task.memory.statistics()


def _terminal_fields(subject: "Subject", namespace: "PidNamespace") -> tuple[int, int]:
    """(tty_nr, tpgid)."""
    from runsc_py.sentry.fs.devpts.terminal import Terminal

    session = subject.group.session
    terminal = session.terminal if session is not None else None
    if not isinstance(terminal, Terminal):
        return 0, -1
    if terminal.foreground is None:
        return terminal.device, -1
    return terminal.device, terminal.foreground.identifier_in(namespace)


def stat(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """One line of 52 numbers."""
    task = subject.task
    group = subject.group
    process_group, session = group.process_group, group.session
    terminal, foreground = _terminal_fields(subject, namespace)
    ignored, caught = signal_sets(task)
    size, resident = (0, 0) if subject.is_gone else task.memory.address_space.sizes()[:2]
    memory = None if subject.is_gone else task.memory
    visible = memory is not None and may_inspect(reader, task)
    arguments = environment = data = (0, 0)
    code = (0, 0) if memory is None else (1, 1)  # in this way Linux hides them
    stack = heap = 0
    if visible and memory is not None:
        code, data = memory.code_range, memory.data_range
        arguments, environment = memory.arguments_range, memory.environment_range
        stack, heap = memory.stack_start, memory.brk_start
    used = group.usage()
    pending = task.pending.mask | group.pending.mask
    legacy = (1 << 31) - 1
    fields = (
        parent_identifier(task, namespace),
        0 if process_group is None else process_group.identifier_in(namespace),
        0 if session is None else session.identifier_in(namespace),
        terminal,
        foreground,
        0x00400000,  # flags: PF_RANDOMIZE
        used.minor_faults,
        group.children_usage.minor_faults,
        used.major_faults,
        group.children_usage.major_faults,
        *cpu_ticks(subject),
        group.children_usage.user // CLOCK_TICK_NS,
        group.children_usage.system // CLOCK_TICK_NS,
        *priority_and_nice(task),
        max(len(group.tasks), 1),
        0,  # itrealvalue
        (task.start_time + reader.namespaces.time.offset(CLOCK_BOOTTIME)) // CLOCK_TICK_NS,
        size * PAGE_SIZE,
        resident,
        group.limits.soft(RLIMIT_RSS),
        *code,
        stack,
        *(0, 0),  # kstkesp, kstkeip
        pending & legacy,
        task.signal_mask & legacy,
        ignored & legacy,
        caught & legacy,
        *(0, 0, 0),  # wchan, nswap, cnswap
        group.exit_signal if task is group.leader else -1,
        0,  # processor
        *real_time_priority_and_policy(task),
        *(0, 0, 0),  # blkio ticks, guest_time, cguest_time
        *data,
        heap,
        *arguments,
        *environment,
        group.exit_status if group.is_zombie and may_inspect(reader, task) else 0,
    )
    head = b"%d (%s) %s " % (
        task.identifier_in(namespace),
        task.name,
        state_letter(subject).encode(),
    )
    return head + " ".join(map(str, fields)).encode() + b"\n"


def priority_and_nice(task: "Task") -> tuple[int, int]:
    """(priority, nice): 0 to 39 for the normal policies, less than 0 for the others."""
    nice = getattr(task.extras.get("scheduling"), "nice", 0)
    real_time, _ = real_time_priority_and_policy(task)
    return -1 - real_time if real_time else 20 + nice, nice


def real_time_priority_and_policy(task: "Task") -> tuple[int, int]:
    """sched(7)."""
    scheduling = task.extras.get("scheduling")
    return getattr(scheduling, "priority", 0), getattr(scheduling, "policy", 0)


def statm(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """Sizes in pages; `lib` and `dt` are always 0."""
    size, resident, shared, text, data = memory_pages(subject)
    return b"%d %d %d %d 0 %d 0\n" % (size, resident, shared, text, data)


def status(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> bytes:
    """The readable form of it all."""
    letter = state_letter(subject)
    task = subject.task
    lines = [f"Name:\t{_escape(task.name)}"]
    if not subject.is_gone:
        lines.append(f"Umask:\t{task.file_context.umask:04o}")
    lines.append(f"State:\t{letter} ({_STATE_NAMES[letter]})")
    lines += _identity_lines(subject, reader, namespace)
    if not subject.is_gone:
        lines += _memory_lines(subject)
    lines.append(f"Threads:\t{max(len(subject.group.tasks), 1)}")
    lines += _signal_lines(subject)
    lines += _security_lines(task)
    lines += _processor_lines(task)
    return "\n".join(lines).encode("latin-1") + b"\n"


def _escape(name: bytes) -> str:
    return name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").decode("latin-1")


def _identity_lines(subject: "Subject", reader: "Task", namespace: "PidNamespace") -> list[str]:
    task, group = subject.task, subject.group
    user_namespace = reader.credentials.user_namespace
    credentials = task.credentials
    to_uid = user_namespace.uid_map.map_to_namespace
    to_gid = user_namespace.gid_map.map_to_namespace
    uids = (credentials.uid, credentials.euid, credentials.suid, credentials.fsuid)
    gids = (credentials.gid, credentials.egid, credentials.sgid, credentials.fsgid)
    process_group, session = group.process_group, group.session
    # Numbers in the namespace of the reader's proc and in each one below it.
    below = [each for each in task.identifiers if each.level >= namespace.level]
    below.sort(key=lambda each: each.level)

    def numbers(owner: "_Numbered") -> str:
        return "\t".join(str(owner.identifier_in(each)) for each in below)

    tracer = task.tracing.tracer if task.tracing is not None else None
    descriptors = 0 if subject.is_gone else len(task.files)
    return [
        f"Tgid:\t{group.identifier_in(namespace)}",
        "Ngid:\t0",
        f"Pid:\t{task.identifier_in(namespace)}",
        f"PPid:\t{parent_identifier(task, namespace)}",
        f"TracerPid:\t{tracer.identifier_in(namespace) if tracer is not None else 0}",
        "Uid:\t" + "\t".join(str(to_uid(each)) for each in uids),
        "Gid:\t" + "\t".join(str(to_gid(each)) for each in gids),
        f"FDSize:\t{max(64, 1 << (descriptors - 1).bit_length()) if descriptors else 0}",
        "Groups:\t" + " ".join(str(to_gid(each)) for each in credentials.groups) + " ",
        "NStgid:\t" + numbers(group),
        "NSpid:\t" + numbers(task),
        "NSpgid:\t" + ("0" if process_group is None else numbers(process_group)),
        "NSsid:\t" + ("0" if session is None else numbers(session)),
        "Kthread:\t0",
    ]


def _memory_lines(subject: "Subject") -> list[str]:
    size, resident, shared, text, data = memory_pages(subject)
    kilobytes = PAGE_SIZE // 1024
    anonymous = max(resident - shared, 0)
    peak = subject.task.memory.peak_resident_set_size() // PAGE_SIZE
    values = (
        ("VmPeak", size),
        ("VmSize", size),
        ("VmLck", subject.task.memory.locked_size() // PAGE_SIZE),
        ("VmPin", 0),
        ("VmHWM", max(peak, resident)),
        ("VmRSS", resident),
        ("RssAnon", anonymous),
        ("RssFile", resident - anonymous),
        ("RssShmem", 0),
        ("VmData", data),
        ("VmStk", 33),
        ("VmExe", text),
        ("VmLib", 0),
        ("VmPTE", size // 512 + 3),
        ("VmSwap", 0),
        ("HugetlbPages", 0),
    )
    lines = [f"{name}:\t{pages * kilobytes:8d} kB" for name, pages in values]
    return [*lines, "CoreDumping:\t0", "THP_enabled:\t1", "untag_mask:\t0xffffffffffffffff"]


def _signal_lines(subject: "Subject") -> list[str]:
    task, group = subject.task, subject.group
    ignored, caught = signal_sets(task)
    credentials = task.credentials
    queued = count(credentials.user_namespace, credentials.uid, RLIMIT_SIGPENDING)
    limit = group.limits.soft(RLIMIT_SIGPENDING)
    return [
        f"SigQ:\t{queued}/{'unlimited' if limit == RLIM_INFINITY else limit}",
        f"SigPnd:\t{task.pending.mask:016x}",
        f"ShdPnd:\t{group.pending.mask:016x}",
        f"SigBlk:\t{task.signal_mask:016x}",
        f"SigIgn:\t{ignored:016x}",
        f"SigCgt:\t{caught:016x}",
    ]


def _security_lines(task: "Task") -> list[str]:
    credentials = task.credentials
    return [
        f"CapInh:\t{credentials.inheritable:016x}",
        f"CapPrm:\t{credentials.permitted:016x}",
        f"CapEff:\t{credentials.effective:016x}",
        f"CapBnd:\t{credentials.bounding:016x}",
        f"CapAmb:\t{credentials.ambient:016x}",
        f"NoNewPrivs:\t{int(task.no_new_privileges)}",
        f"Seccomp:\t{seccomp_mode(task)}",
        f"Seccomp_filters:\t{filter_count(task)}",
        "Speculation_Store_Bypass:\tthread vulnerable",
        "SpeculationIndirectBranch:\tconditional enabled",
    ]


def _processor_ranges(mask: int) -> str:
    """The numbers of the bits that are set, as `0-2,5`."""
    ranges: list[list[int]] = []
    for number in range(mask.bit_length()):
        if mask >> number & 1:
            if ranges and ranges[-1][1] == number - 1:
                ranges[-1][1] = number
            else:
                ranges.append([number, number])
    return ",".join(f"{low}" if low == high else f"{low}-{high}" for low, high in ranges)


def _processor_lines(task: "Task") -> list[str]:
    everything = (1 << task.kernel.options.processors) - 1
    affinity = getattr(task.extras.get("scheduling"), "affinity", None)
    mask = everything if affinity is None else affinity & everything
    return [
        f"Cpus_allowed:\t{mask:x}",
        f"Cpus_allowed_list:\t{_processor_ranges(mask)}",
        "Mems_allowed:\t1",
        "Mems_allowed_list:\t0",
        f"voluntary_ctxt_switches:\t{task.voluntary_switches}",
        "nonvoluntary_ctxt_switches:\t0",
    ]
