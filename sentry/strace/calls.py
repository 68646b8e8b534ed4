"""Calls whose arguments cannot be shown one by one, and results with more than a number.

Everything else is a list of formatted arguments, in which None stands for one that is shown when
the call is done.
"""

from collections.abc import Callable

from runsc_py.sentry.abi.process import (
    CLONE_ARGS,
    CLONE_CHILD_CLEARTID,
    CLONE_CHILD_SETTID,
    CLONE_PARENT_SETTID,
    CLONE_SETTLS,
)
from runsc_py.sentry.auth.capabilities import CAP_LAST_CAP, CAPABILITY_NAMES
from runsc_py.sentry.strace import requests
from runsc_py.sentry.strace.arguments import (
    AFTER,
    BEFORE,
    Call,
    clone_flags,
    fd_set,
    futex_operation,
    mode,
    poll_entries,
    show_structure,
)
from runsc_py.sentry.strace.flags import FLAG_SETS
from runsc_py.sentry.strace.names import NAME_SETS
from runsc_py.sentry.strace.signals import signal
from runsc_py.sentry.strace.structures import open_flags
from runsc_py.sentry.strace.text import array, hexadecimal, pointer, structure

Parts = list["str | None"]

_O_CREAT = 0o100
_O_TMPFILE = 0o20200000
_MREMAP_FIXED = 2

# -- before the call -------------------------------------------------------------------


def before(call: Call) -> Parts:
    """The arguments as far as they are known when the call is made."""
    special = _SPECIAL.get(call.entry.name)
    if special is not None:
        return special(call)
    return _plain(call)


def _plain(call: Call) -> Parts:
    parts: Parts = []
    for index, (_, kind) in enumerate(call.entry.arguments):
        format_before = BEFORE.get(kind.formatter)
        if format_before is not None:
            parts.append(format_before(call, index))
        else:
            _remember(call, index, kind.formatter)
            parts.append(None)
    return parts


def _remember(call: Call, index: int, formatter: str) -> None:
    """Lengths that the call is going to replace."""
    address = call.values[index]
    if formatter == "out_message":
        address += 8  # msg_namelen
    elif formatter != "out_socket_length":
        return
    data = call.read(address, 4)
    if data is not None:
        call.saved[index] = int.from_bytes(data, "little")


def _open(call: Call) -> Parts:
    """The mode is only there when a file may be made."""
    parts = _plain(call)
    flags = call.values[-2]
    if not flags & _O_CREAT and flags & _O_TMPFILE != _O_TMPFILE:
        parts.pop()
    return parts


def _mremap(call: Call) -> Parts:
    parts = _plain(call)
    if len(parts) == 5 and not call.values[3] & _MREMAP_FIXED:
        parts.pop()
    return parts


def _vector_at(call: Call) -> Parts:
    """The offset's upper half is no argument of its own."""
    parts = _plain(call)
    del parts[4]
    return parts


def _clone(call: Call) -> Parts:
    flags, stack, parent, child, tls = call.values[:5]
    parts: Parts = [f"child_stack={pointer(stack)}", f"flags={clone_flags(flags)}"]
    if flags & CLONE_PARENT_SETTID:
        parts.append(None)
    if flags & CLONE_SETTLS:
        parts.append(f"tls={tls:#x}")
    if flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID):
        parts.append(f"child_tidptr={child:#x}")
    return parts


def _clone_after(call: Call, index: int) -> str:
    return f"parent_tid={show_structure(call, 'int', call.values[2])}"


def _clone3(call: Call) -> Parts:
    data = call.read(call.values[0], 64)
    if data is None:
        return [pointer(call.values[0]), str(call.values[1])]
    values = CLONE_ARGS.as_dict(data.ljust(CLONE_ARGS.size, b"\0"))
    fields = [("flags", FLAG_SETS["clone"].format(values["flags"]))]
    for name in ("pidfd", "child_tid", "parent_tid"):
        if values[name]:
            fields.append((name, pointer(values[name])))
    ending = values["exit_signal"]
    fields.append(("exit_signal", signal(ending) if ending else "0"))
    fields.append(("stack", pointer(values["stack"])))
    fields.append(("stack_size", hexadecimal(values["stack_size"])))
    if values["tls"]:
        fields.append(("tls", hexadecimal(values["tls"])))
    return [structure(fields), str(call.values[1])]


def _bitset(value: int) -> str:
    return "FUTEX_BITSET_MATCH_ANY" if value == 0xFFFFFFFF else f"{value:#x}"


def _futex(call: Call) -> Parts:
    address, operation, value, timeout, address2, value3 = call.values[:6]
    parts: Parts = [pointer(address), futex_operation(operation)]
    unsigned = str(value & 0xFFFFFFFF)
    when = show_structure(call, "timespec", timeout)
    match operation & 0x7F:
        case 0:  # FUTEX_WAIT
            parts += [unsigned, when]
        case 1:  # FUTEX_WAKE
            parts.append(str(value))
        case 3:  # FUTEX_REQUEUE
            parts += [str(value), str(timeout), pointer(address2)]
        case 4 | 12:  # FUTEX_CMP_REQUEUE
            parts += [str(value), str(timeout), pointer(address2), str(value3)]
        case 6 | 13:  # FUTEX_LOCK_PI
            parts.append(when)
        case 7 | 8:  # FUTEX_UNLOCK_PI
            pass
        case 9:  # FUTEX_WAIT_BITSET
            parts += [unsigned, when, _bitset(value3)]
        case 10:  # FUTEX_WAKE_BITSET
            parts += [str(value), _bitset(value3)]
        case _:
            parts += [unsigned, hexadecimal(timeout), pointer(address2), hexadecimal(value3)]
    return parts


_FCNTL_BARE = frozenset((1, 3, 9, 11, 1025, 1032, 1034))
_FCNTL_LOCKS = frozenset((6, 7, 37, 38))
_FCNTL_GET_LOCKS = frozenset((5, 36))


def _fcntl(call: Call) -> Parts:
    command, argument = call.values[1], call.values[2]
    parts: Parts = [BEFORE["fd"](call, 0), NAME_SETS["fcntl"].format(command)]
    if command in _FCNTL_BARE:
        return parts
    if command == 2:
        parts.append(FLAG_SETS["fd"].format(argument & 0xFFFFFFFF))
    elif command == 4:
        parts.append(open_flags(argument))
    elif command == 1033:
        parts.append(FLAG_SETS["seals"].format(argument))
    elif command in _FCNTL_LOCKS:
        parts.append(show_structure(call, "flock", argument))
    elif command in _FCNTL_GET_LOCKS:
        parts.append(None)
    elif command in (0, 8, 10, 1030, 1031):
        parts.append(str(argument & 0xFFFFFFFF))
    else:
        parts.append(hexadecimal(argument))
    return parts


def _fcntl_after(call: Call, index: int) -> str:
    return show_structure(call, "flock", call.values[2])


def _ioctl(call: Call) -> Parts:
    request, argument = call.values[1] & 0xFFFFFFFF, call.values[2]
    parts: Parts = [BEFORE["fd"](call, 0), requests.ioctl_name(request)]
    if request in requests.BARE:
        return parts
    known = requests.ARGUMENTS.get(request)
    if known is None:
        parts.append(hexadecimal(argument))
    else:
        parts.append(None if known[1] else _ioctl_structure(call, known[0]))
    return parts


def _ioctl_structure(call: Call, name: str) -> str:
    if name == "termios":
        data = call.read(call.values[2], 36)
        return pointer(call.values[2]) if data is None else requests.termios(data)
    return show_structure(call, name, call.values[2])


def _ioctl_after(call: Call, index: int) -> str:
    return _ioctl_structure(call, requests.ARGUMENTS[call.values[1] & 0xFFFFFFFF][0])


#: how many arguments follow an option; the others take none
_PRCTL_COUNTS = {2: 1, 4: 1, 8: 1, 22: 2, 25: 1, 26: 1, 28: 1, 29: 1, 35: 4, 36: 1, 37: 1,
                 38: 4, 39: 4, 40: 1, 41: 4, 42: 4, 47: 4, 52: 4, 53: 4, 0x53564D41: 4,
                 0x59616D61: 1}  # fmt: skip


def _prctl(call: Call) -> Parts:
    option, argument = call.values[0], call.values[1]
    parts: Parts = [NAME_SETS["prctl"].format(option)]
    if option == 1:
        parts.append(signal(argument))
    elif option == 15:
        parts.append(show_structure(call, "name16", argument))
    elif option in (16, 2, 37):
        parts.append(None)
    elif option in (23, 24):
        known = argument <= CAP_LAST_CAP
        name = f"CAP_{CAPABILITY_NAMES[argument].upper()}" if known else hexadecimal(argument)
        parts.append(name)
    else:
        count = _PRCTL_COUNTS.get(option, 0 if option in (3, 7, 21, 27, 30) else 4)
        small = option in (4, 8, 36, 38, 29)
        shown = [str(v) if small else hexadecimal(v) for v in call.values[1 : 1 + count]]
        parts += shown
    return parts


def _prctl_after(call: Call, index: int) -> str:
    name = "name16" if call.values[0] == 16 else "int"
    return show_structure(call, name, call.values[1])


_SPECIAL: dict[str, Callable[[Call], Parts]] = {
    "open": _open,
    "openat": _open,
    "mremap": _mremap,
    "preadv": _vector_at,
    "pwritev": _vector_at,
    "preadv2": _vector_at,
    "pwritev2": _vector_at,
    "clone": _clone,
    "clone3": _clone3,
    "futex": _futex,
    "fcntl": _fcntl,
    "ioctl": _ioctl,
    "prctl": _prctl,
}

# -- after the call --------------------------------------------------------------------

_SPECIAL_AFTER: dict[str, Callable[[Call, int], str]] = {
    "clone": _clone_after,
    "fcntl": _fcntl_after,
    "ioctl": _ioctl_after,
    "prctl": _prctl_after,
}


def after(call: Call, index: int) -> str:
    """An argument that `before` left out, shown by what is in memory now."""
    special = _SPECIAL_AFTER.get(call.entry.name)
    if special is not None:
        if call.result < 0:
            return pointer(call.values[-1 if call.entry.name != "prctl" else 1])
        return special(call, index)
    if call.result < 0:
        return pointer(call.values[index])
    formatter = AFTER.get(call.entry.arguments[index][1].formatter)
    return formatter(call, index) if formatter is not None else pointer(call.values[index])


# -- results ---------------------------------------------------------------------------

_DUMPABLE = ("SUID_DUMP_DISABLE", "SUID_DUMP_USER", "SUID_DUMP_ROOT")
_HEXADECIMAL_RESULTS = frozenset(("mmap", "brk", "mremap", "shmat"))


def result(call: Call) -> str:
    """A result that is no error, with what strace adds to it."""
    value = call.result
    name = call.entry.name
    if name in _HEXADECIMAL_RESULTS:
        return f"{value:#x}"
    if name == "umask":
        return mode(value)
    if name == "fcntl":
        return _fcntl_result(call)
    if name == "prctl" and call.values[0] == 3:
        return f"{value} ({_DUMPABLE[value]})"
    if name in ("poll", "ppoll"):
        return _poll_result(call)
    if name in ("select", "pselect6"):
        return _select_result(call)
    return str(value)


def _fcntl_result(call: Call) -> str:
    value, command = call.result, call.values[1]
    if command == 1 and value:
        return f"{value:#x} (flags {FLAG_SETS['fd'].format(value)})"
    if command == 3:
        return f"{value:#x} (flags {open_flags(value)})"
    if command == 1034 and value:
        return f"{value:#x} (seals {FLAG_SETS['seals'].format(value)})"
    return str(value)


def _poll_result(call: Call) -> str:
    if call.result == 0:
        return "0 (Timeout)"
    entries = poll_entries(call, 0) or []
    shown = [
        structure([("fd", str(fd)), ("revents", FLAG_SETS["poll"].format(revents & 0xFFFF))])
        for fd, _, revents in entries
        if revents
    ]
    note = array(shown)
    if call.entry.name == "ppoll" and call.values[2]:
        note += f", left {show_structure(call, 'timespec', call.values[2])}"
    return f"{call.result} ({note})"


def _select_result(call: Call) -> str:
    if call.result == 0:
        return "0 (Timeout)"
    notes = []
    for name, address in zip(("in", "out", "except"), call.values[1:4], strict=True):
        shown = fd_set(call, address) if address else "[]"
        if shown != "[]":
            notes.append(f"{name} {shown}")
    if call.values[4]:
        kind = "timeval" if call.entry.name == "select" else "timespec"
        notes.append(f"left {show_structure(call, kind, call.values[4])}")
    return f"{call.result} ({', '.join(notes)})"
