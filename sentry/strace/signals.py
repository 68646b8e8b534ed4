"""Signals in strace's notation: names, sets, siginfo_t, sigaction."""

from runsc_py.sentry.abi.signals import (
    ALL_SIGNALS,
    SI_QUEUE,
    SI_TIMER,
    SIG_DFL,
    SIG_IGN,
    SIGBUS,
    SIGCHLD,
    SIGFPE,
    SIGILL,
    SIGINFO_CHILD,
    SIGINFO_FAULT,
    SIGINFO_KILL,
    SIGINFO_TIMER,
    SIGRTMIN,
    SIGSEGV,
    bit,
    signal_name,
)
from runsc_py.sentry.strace.flags import FLAG_SETS
from runsc_py.sentry.strace.names import NAME_SETS
from runsc_py.sentry.strace.text import pointer, structure

_FAULT_CODES = {
    SIGSEGV: "fault_code",
    SIGBUS: "bus_code",
    SIGFPE: "fpe_code",
    SIGILL: "ill_code",
}


def signal(number: int) -> str:
    """SIGINT, SIGRTMIN, SIGRT_1; a plain number where there is no such signal."""
    if number == SIGRTMIN:
        return "SIGRTMIN"
    return signal_name(number) if 0 < number <= 64 else str(number)


def signal_set(mask: int) -> str:
    """[INT TERM], or ~[KILL STOP] when most are in it."""
    prefix = ""
    if mask.bit_count() > 32:
        prefix = "~"
        mask = ~mask & ALL_SIGNALS
    names = [signal(number).removeprefix("SIG") for number in range(1, 65) if mask & bit(number)]
    return f"{prefix}[{' '.join(names)}]"


def signal_code(number: int, code: int) -> str:
    """SI_USER, CLD_EXITED, SEGV_MAPERR …"""
    if number == SIGCHLD and code > 0:
        return NAME_SETS["child_code"].format(code)
    if number in _FAULT_CODES and 0 < code < 0x80:
        return NAME_SETS[_FAULT_CODES[number]].format(code)
    return NAME_SETS["signal_code"].format(code)


def _head(number: int, code: int) -> list[tuple[str, str]]:
    return [("si_signo", signal(number)), ("si_code", signal_code(number, code))]


def siginfo(raw: bytes) -> str:
    """A siginfo_t by the shape that its signal and code imply."""
    number = int.from_bytes(raw[:4], "little", signed=True)
    code = int.from_bytes(raw[8:12], "little", signed=True)
    if number == 0:
        return "{}"
    fields = _head(number, code)
    if number == SIGCHLD and code > 0:
        _, _, _, pid, uid, status, user_time, system_time = SIGINFO_CHILD.unpack_from(raw)
        shown = str(status) if code == 1 else signal(status)
        fields += [("si_pid", str(pid)), ("si_uid", str(uid)), ("si_status", shown)]
        fields += [("si_utime", str(user_time)), ("si_stime", str(system_time))]
    elif number in _FAULT_CODES and 0 < code < 0x80:
        fields.append(("si_addr", pointer(SIGINFO_FAULT.unpack_from(raw)[3])))
    elif code == SI_TIMER:
        _, _, _, timer, overrun, value = SIGINFO_TIMER.unpack_from(raw)
        fields += [("si_timerid", f"{timer:#x}"), ("si_overrun", str(overrun))]
        fields.append(("si_value", signal_value(value)))
    elif code <= 0:
        _, _, _, pid, uid, value = SIGINFO_KILL.unpack_from(raw)
        fields += [("si_pid", str(pid)), ("si_uid", str(uid))]
        if code == SI_QUEUE and value:
            fields.append(("si_value", signal_value(value)))
    return structure(fields)


def signal_value(value: int) -> str:
    """A union sigval."""
    number = value & 0xFFFFFFFF
    signed = number - (1 << 32) if number & 0x80000000 else number
    return structure([("sival_int", str(signed)), ("sival_ptr", pointer(value))])


def sigaction(handler: int, flags: int, restorer: int, mask: int) -> str:
    """A struct sigaction of the kernel."""
    names = {SIG_DFL: "SIG_DFL", SIG_IGN: "SIG_IGN"}
    field = "sa_sigaction" if flags & 4 and handler not in names else "sa_handler"
    fields = [
        (field, names.get(handler, pointer(handler))),
        ("sa_mask", signal_set(mask)),
        ("sa_flags", FLAG_SETS["sigaction"].format(flags)),
    ]
    if flags & 0x04000000:
        fields.append(("sa_restorer", pointer(restorer)))
    return structure(fields)


def wait_status(status: int) -> str:
    """[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]"""
    if status & 0xFFFF == 0xFFFF:
        text = "WIFCONTINUED(s)"
    elif status & 0xFF == 0x7F:
        text = f"WIFSTOPPED(s) && WSTOPSIG(s) == {signal(status >> 8 & 0xFF)}"
    elif status & 0x7F:
        core = " && WCOREDUMP(s)" if status & 0x80 else ""
        text = f"WIFSIGNALED(s) && WTERMSIG(s) == {signal(status & 0x7F)}{core}"
    else:
        text = f"WIFEXITED(s) && WEXITSTATUS(s) == {status >> 8 & 0xFF}"
    return f"[{{{text}}}]"
