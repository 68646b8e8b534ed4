"""Constants and structures of ptrace(2)."""

from runsc_py.sentry.abi.structure import Structure

PTRACE_TRACEME = 0
PTRACE_PEEKTEXT = 1
PTRACE_PEEKDATA = 2
PTRACE_PEEKUSER = 3
PTRACE_POKETEXT = 4
PTRACE_POKEDATA = 5
PTRACE_POKEUSER = 6
PTRACE_CONT = 7
PTRACE_KILL = 8
PTRACE_SINGLESTEP = 9
PTRACE_GETREGS = 12
PTRACE_SETREGS = 13
PTRACE_GETFPREGS = 14
PTRACE_SETFPREGS = 15
PTRACE_ATTACH = 16
PTRACE_DETACH = 17
PTRACE_SYSCALL = 24
PTRACE_SYSEMU = 31
PTRACE_SYSEMU_SINGLESTEP = 32
PTRACE_SETOPTIONS = 0x4200
PTRACE_GETEVENTMSG = 0x4201
PTRACE_GETSIGINFO = 0x4202
PTRACE_SETSIGINFO = 0x4203
PTRACE_GETREGSET = 0x4204
PTRACE_SETREGSET = 0x4205
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_LISTEN = 0x4208
PTRACE_PEEKSIGINFO = 0x4209
PTRACE_GETSIGMASK = 0x420A
PTRACE_SETSIGMASK = 0x420B
PTRACE_SECCOMP_GET_FILTER = 0x420C
PTRACE_SECCOMP_GET_METADATA = 0x420D
PTRACE_GET_SYSCALL_INFO = 0x420E
PTRACE_GET_RSEQ_CONFIGURATION = 0x420F

PTRACE_O_TRACESYSGOOD = 0x01
PTRACE_O_TRACEFORK = 0x02
PTRACE_O_TRACEVFORK = 0x04
PTRACE_O_TRACECLONE = 0x08
PTRACE_O_TRACEEXEC = 0x10
PTRACE_O_TRACEVFORKDONE = 0x20
PTRACE_O_TRACEEXIT = 0x40
PTRACE_O_TRACESECCOMP = 0x80
PTRACE_O_EXITKILL = 0x100000
PTRACE_O_SUSPEND_SECCOMP = 0x200000
PTRACE_O_KNOWN = 0xFF | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP

PTRACE_EVENT_FORK = 1
PTRACE_EVENT_VFORK = 2
PTRACE_EVENT_CLONE = 3
PTRACE_EVENT_EXEC = 4
PTRACE_EVENT_VFORK_DONE = 5
PTRACE_EVENT_EXIT = 6
PTRACE_EVENT_SECCOMP = 7
PTRACE_EVENT_STOP = 128

#: which option makes an event a stop
EVENT_OPTIONS = {
    PTRACE_EVENT_FORK: PTRACE_O_TRACEFORK,
    PTRACE_EVENT_VFORK: PTRACE_O_TRACEVFORK,
    PTRACE_EVENT_CLONE: PTRACE_O_TRACECLONE,
    PTRACE_EVENT_EXEC: PTRACE_O_TRACEEXEC,
    PTRACE_EVENT_VFORK_DONE: PTRACE_O_TRACEVFORKDONE,
    PTRACE_EVENT_EXIT: PTRACE_O_TRACEEXIT,
    PTRACE_EVENT_SECCOMP: PTRACE_O_TRACESECCOMP,
}

PTRACE_SYSCALL_INFO_NONE = 0
PTRACE_SYSCALL_INFO_ENTRY = 1
PTRACE_SYSCALL_INFO_EXIT = 2
PTRACE_SYSCALL_INFO_SECCOMP = 3

# PTRACE_GETEVENTMSG at a stop of a system call
PTRACE_EVENTMSG_SYSCALL_ENTRY = 1
PTRACE_EVENTMSG_SYSCALL_EXIT = 2

PTRACE_PEEKSIGINFO_SHARED = 1

NT_PRSTATUS = 1
NT_PRFPREG = 2
NT_X86_XSTATE = 0x202

_USER_REGISTERS = """
    r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss
    fs_base gs_base ds es fs gs
"""
#: struct user_regs_struct
USER_REGISTERS = tuple(_USER_REGISTERS.split())
USER_REGISTERS_SIZE = 8 * len(USER_REGISTERS)
#: struct user, which the kernel knows two words more of: registers first, debug registers late
USER_SIZE = 928
USER_DEBUG_REGISTERS = 848
USER_DEBUG_REGISTERS_END = USER_DEBUG_REGISTERS + 8 * 8
FP_REGISTERS_SIZE = 512

TRAP_FLAG = 0x100

SYSCALL_INFO_HEAD = Structure(
    "struct ptrace_syscall_info_head",
    ("op", "B"),
    ("_pad", "3x"),
    ("arch", "I"),
    ("instruction_pointer", "Q"),
    ("stack_pointer", "Q"),
)
SYSCALL_INFO_ENTRY = Structure(
    "struct ptrace_syscall_info_entry",
    ("nr", "Q"),
    ("arg0", "Q"),
    ("arg1", "Q"),
    ("arg2", "Q"),
    ("arg3", "Q"),
    ("arg4", "Q"),
    ("arg5", "Q"),
)
#: after what an entry has: the data of the filter's answer
SYSCALL_INFO_SECCOMP = Structure(
    "struct ptrace_syscall_info_seccomp",
    *SYSCALL_INFO_ENTRY.fields,
    ("ret_data", "I"),
    ("_pad", "4x"),
)
SYSCALL_INFO_EXIT = Structure(
    "struct ptrace_syscall_info_exit", ("rval", "q"), ("is_error", "B"), ("_pad", "7x")
)

SECCOMP_METADATA = Structure("struct seccomp_metadata", ("filter_off", "Q"), ("flags", "Q"))
PEEKSIGINFO_ARGS = Structure(
    "struct ptrace_peeksiginfo_args", ("off", "Q"), ("flags", "I"), ("nr", "i")
)
RSEQ_CONFIGURATION = Structure(
    "struct ptrace_rseq_configuration",
    ("rseq_abi_pointer", "Q"),
    ("rseq_abi_size", "I"),
    ("signature", "I"),
    ("flags", "I"),
    ("_pad", "4x"),
)
