"""`linux.seccomp` of config.json: a system call filter in libseccomp's words."""

from runsc_py.runsc.oci.types import (
    Annotated,
    Literal,
    NotEmpty,
    Range,
    Structure,
    Uint32,
    Uint64,
)

Action = Literal[
    "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY",
]  # fmt: skip

Operator = Literal[
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
    "SCMP_CMP_MASKED_EQ",
]  # fmt: skip

Architecture = Literal[
    "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
    "SCMP_ARCH_SH", "SCMP_ARCH_SHEB", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_RISCV64",
]  # fmt: skip

Flag = Literal[
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
]  # fmt: skip


class Argument(Structure):
    """A condition on one argument of a call."""

    index: Annotated[int, Range(0, 5)]
    value: Uint64
    op: Operator
    value_two: Uint64 = 0


class Rule(Structure):
    """What happens to some calls when all conditions hold."""

    names: Annotated[list[str], NotEmpty()]
    action: Action
    errno_ret: Uint32 | None = None
    args: list[Argument] = []


class Seccomp(Structure):
    """The whole filter."""

    default_action: Action
    default_errno_ret: Uint32 | None = None
    architectures: list[Architecture] = []
    flags: list[Flag] = []
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: list[Rule] = []
