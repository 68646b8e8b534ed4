"""`process` of config.json: what is run, as whom, with which rights and limits."""

from runsc_py.runsc.control.message import field
from runsc_py.runsc.oci.types import (
    Annotated,
    Int32,
    Literal,
    Spelled,
    Structure,
    Uint32,
    Uint64,
)

ProcessorList = Annotated[str, Spelled("0123456789, -")]


class ConsoleSize(Structure):
    """The size of the terminal in characters."""

    height: Uint64
    width: Uint64


class User(Structure):
    """Whose process it is, in the container."""

    uid: Uint32 = 0
    gid: Uint32 = 0
    umask: Uint32 | None = None
    additional_gids: list[Uint32] = []
    username: str = ""


class Capabilities(Structure):
    """The five sets of capabilities(7), by name."""

    bounding: list[str] = []
    effective: list[str] = []
    inheritable: list[str] = []
    permitted: list[str] = []
    ambient: list[str] = []


class Rlimit(Structure):
    """One limit of setrlimit(2)."""

    type: Annotated[str, Spelled("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "RLIMIT_")]
    soft: Uint64
    hard: Uint64


class Scheduler(Structure):
    """What sched_setattr(2) is given."""

    policy: Literal[
        "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE",
        "SCHED_DEADLINE",
    ]  # fmt: skip
    nice: Int32 = 0
    priority: Int32 = 0
    flags: list[
        Literal[
            "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN",
            "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN",
            "SCHED_FLAG_UTIL_CLAMP_MAX",
        ]
    ] = []  # fmt: skip
    runtime: Uint64 = 0
    deadline: Uint64 = 0
    period: Uint64 = 0


class IoPriority(Structure):
    """What ioprio_set(2) is given."""

    klass: Literal["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"] = field(name="class")
    priority: Int32 = 0


class ExecCpuAffinity(Structure):
    """Processors of a process that joins the container: while it does, and afterwards."""

    initial: ProcessorList = ""
    final: ProcessorList = ""


class Process(Structure):
    """A process to run: the container's first, or one of `exec --process`."""

    cwd: str
    terminal: bool = False
    console_size: ConsoleSize | None = None
    user: User = field(default_factory=User)
    args: list[str] = []
    command_line: str = ""
    env: list[str] = []
    capabilities: Capabilities | None = None
    rlimits: list[Rlimit] = []
    no_new_privileges: bool = False
    apparmor_profile: str = ""
    oom_score_adj: int | None = None
    scheduler: Scheduler | None = None
    selinux_label: str = ""
    io_priority: IoPriority | None = None
    exec_cpu_affinity: ExecCpuAffinity | None = field(name="execCPUAffinity", default=None)
