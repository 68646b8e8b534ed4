"""Signal numbers, flags and structures: signal(7), sigaction(2), <asm/sigcontext.h>."""

from runsc_py.sentry.abi.structure import Structure

SIGHUP = 1
SIGINT = 2
SIGQUIT = 3
SIGILL = 4
SIGTRAP = 5
SIGABRT = 6
SIGBUS = 7
SIGFPE = 8
SIGKILL = 9
SIGUSR1 = 10
SIGSEGV = 11
SIGUSR2 = 12
SIGPIPE = 13
SIGALRM = 14
SIGTERM = 15
SIGSTKFLT = 16
SIGCHLD = 17
SIGCONT = 18
SIGSTOP = 19
SIGTSTP = 20
SIGTTIN = 21
SIGTTOU = 22
SIGURG = 23
SIGXCPU = 24
SIGXFSZ = 25
SIGVTALRM = 26
SIGPROF = 27
SIGWINCH = 28
SIGIO = 29
SIGPWR = 30
SIGSYS = 31
SIGRTMIN = 32
SIGRTMAX = 64

SIGNAL_NAMES = [
    "0",
    "HUP",
    "INT",
    "QUIT",
    "ILL",
    "TRAP",
    "ABRT",
    "BUS",
    "FPE",
    "KILL",
    "USR1",
    "SEGV",
    "USR2",
    "PIPE",
    "ALRM",
    "TERM",
    "STKFLT",
    "CHLD",
    "CONT",
    "STOP",
    "TSTP",
    "TTIN",
    "TTOU",
    "URG",
    "XCPU",
    "XFSZ",
    "VTALRM",
    "PROF",
    "WINCH",
    "IO",
    "PWR",
    "SYS",
]

SIG_DFL = 0
SIG_IGN = 1

SA_NOCLDSTOP = 0x00000001
SA_NOCLDWAIT = 0x00000002
SA_SIGINFO = 0x00000004
SA_RESTORER = 0x04000000
SA_ONSTACK = 0x08000000
SA_RESTART = 0x10000000
SA_NODEFER = 0x40000000
SA_RESETHAND = 0x80000000

SIG_BLOCK = 0
SIG_UNBLOCK = 1
SIG_SETMASK = 2

SS_ONSTACK = 1
SS_DISABLE = 2
SS_AUTODISARM = 1 << 31
MINSIGSTKSZ = 2048

SI_USER = 0
SI_KERNEL = 0x80
SI_QUEUE = -1
SI_TIMER = -2
SI_MESGQ = -3
SI_ASYNCIO = -4
SI_SIGIO = -5
SI_TKILL = -6

CLD_EXITED = 1
CLD_KILLED = 2
CLD_DUMPED = 3
CLD_TRAPPED = 4
CLD_STOPPED = 5
CLD_CONTINUED = 6

SEGV_MAPERR = 1
SEGV_ACCERR = 2


def bit(number: int) -> int:
    """The bit of a signal in a sigset_t."""
    return 1 << (number - 1)


def signal_name(number: int) -> str:
    """SIGINT, SIGRT_3 …"""
    if 0 < number < SIGRTMIN:
        return "SIG" + SIGNAL_NAMES[number]
    return f"SIGRT_{number - SIGRTMIN}"


#: KILL and STOP: neither caught, blocked nor ignored
UNBLOCKABLE = bit(SIGKILL) | bit(SIGSTOP)
ALL_SIGNALS = (1 << 64) - 1

STOP_SIGNALS = bit(SIGSTOP) | bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU)
#: default action: nothing
IGNORED_BY_DEFAULT = bit(SIGCHLD) | bit(SIGCONT) | bit(SIGURG) | bit(SIGWINCH)
#: default action: terminate and dump core
CORE_SIGNALS = (
    bit(SIGQUIT)
    | bit(SIGILL)
    | bit(SIGTRAP)
    | bit(SIGABRT)
    | bit(SIGBUS)
    | bit(SIGFPE)
    | bit(SIGSEGV)
    | bit(SIGXCPU)
    | bit(SIGXFSZ)
    | bit(SIGSYS)
)
#: taken before others when several are pending (Linux's SYNCHRONOUS_MASK)
SYNCHRONOUS = bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGFPE) | bit(SIGSYS)

#: the kernel's struct sigaction, not glibc's
SIGACTION = Structure(
    "struct kernel_sigaction",
    ("sa_handler", "Q"),
    ("sa_flags", "Q"),
    ("sa_restorer", "Q"),
    ("sa_mask", "Q"),
)

STACK_T = Structure("stack_t", ("ss_sp", "Q"), ("ss_flags", "i"), ("_pad", "4x"), ("ss_size", "Q"))

SIGINFO_SIZE = 128
#: the head of siginfo_t and the shapes of its union
SIGINFO_KILL = Structure(
    "siginfo_t",
    ("si_signo", "i"),
    ("si_errno", "i"),
    ("si_code", "i"),
    ("_pad", "4x"),
    ("si_pid", "i"),
    ("si_uid", "I"),
    ("si_value", "Q"),
    ("_rest", "96x"),
)
SIGINFO_CHILD = Structure(
    "siginfo_t",
    ("si_signo", "i"),
    ("si_errno", "i"),
    ("si_code", "i"),
    ("_pad", "4x"),
    ("si_pid", "i"),
    ("si_uid", "I"),
    ("si_status", "i"),
    ("_pad2", "4x"),
    ("si_utime", "q"),
    ("si_stime", "q"),
    ("_rest", "80x"),
)
SIGINFO_TIMER = Structure(
    "siginfo_t",
    ("si_signo", "i"),
    ("si_errno", "i"),
    ("si_code", "i"),
    ("_pad", "4x"),
    ("si_timerid", "i"),
    ("si_overrun", "i"),
    ("si_value", "Q"),
    ("_rest", "96x"),
)
SIGINFO_FAULT = Structure(
    "siginfo_t",
    ("si_signo", "i"),
    ("si_errno", "i"),
    ("si_code", "i"),
    ("_pad", "4x"),
    ("si_addr", "Q"),
    ("_rest", "104x"),
)
SIGINFO_POLL = Structure(
    "siginfo_t",
    ("si_signo", "i"),
    ("si_errno", "i"),
    ("si_code", "i"),
    ("_pad", "4x"),
    ("si_band", "q"),
    ("si_fd", "i"),
    ("_rest", "100x"),
)

#: x86-64 struct sigcontext; the last eight words are reserved
SIGCONTEXT = Structure(
    "struct sigcontext",
    ("r8", "Q"),
    ("r9", "Q"),
    ("r10", "Q"),
    ("r11", "Q"),
    ("r12", "Q"),
    ("r13", "Q"),
    ("r14", "Q"),
    ("r15", "Q"),
    ("rdi", "Q"),
    ("rsi", "Q"),
    ("rbp", "Q"),
    ("rbx", "Q"),
    ("rdx", "Q"),
    ("rax", "Q"),
    ("rcx", "Q"),
    ("rsp", "Q"),
    ("rip", "Q"),
    ("eflags", "Q"),
    ("cs", "H"),
    ("gs", "H"),
    ("fs", "H"),
    ("ss", "H"),
    ("err", "Q"),
    ("trapno", "Q"),
    ("oldmask", "Q"),
    ("cr2", "Q"),
    ("fpstate", "Q"),
    ("_reserved", "64x"),
)

#: struct ucontext of the kernel: uc_flags, uc_link, uc_stack, uc_mcontext, uc_sigmask
UCONTEXT_HEAD = Structure(
    "struct ucontext_head",
    ("uc_flags", "Q"),
    ("uc_link", "Q"),
    ("ss_sp", "Q"),
    ("ss_flags", "i"),
    ("_pad", "4x"),
    ("ss_size", "Q"),
)
UC_FP_XSTATE = 0x1
UC_SIGCONTEXT_SS = 0x2
UC_STRICT_RESTORE_SS = 0x4

#: struct _fpx_sw_bytes, in the last 48 bytes of the legacy area of a frame's XSAVE image
FPX_SW_BYTES = Structure(
    "struct _fpx_sw_bytes",
    ("magic1", "I"),
    ("extended_size", "I"),
    ("xfeatures", "Q"),
    ("xstate_size", "I"),
    ("_padding", "28x"),
)
FPX_SW_OFFSET = 464
FP_XSTATE_MAGIC1 = 0x46505853
FP_XSTATE_MAGIC2 = 0x46505845
