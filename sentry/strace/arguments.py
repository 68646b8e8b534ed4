"""One argument at a time: a formatter for every name that `syscalls/types.py` uses.

What the guest passes in is formatted when the call is made, since the call may change it; what the
kernel fills in, when it is done.
"""

import struct
from collections.abc import Callable

from runsc_py.sentry.abi.events import EPOLL_EVENT, POLLFD
from runsc_py.sentry.abi.files import AT_FDCWD, LINUX_DIRENT64
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.strace import requests, sockets
from runsc_py.sentry.strace.flags import CLONE, FLAG_SETS, MAP
from runsc_py.sentry.strace.names import NAME_SETS
from runsc_py.sentry.strace.signals import signal
from runsc_py.sentry.strace.structures import (
    STRUCTURES,
    device,
    epoll_event,
    file_mode,
    open_flags,
)
from runsc_py.sentry.strace.text import (
    STRING_LIMIT,
    array,
    escape,
    hexadecimal,
    pointer,
    quote,
    quote_hexadecimal,
    structure,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.syscalls.table import Entry

_PATH_LIMIT = 4096
_ARRAY_LIMIT = 32


class Call:
    """A system call being shown."""

    __slots__ = (
        "descriptor_paths",
        "entry",
        "result",
        "saved",
        "string_limit",
        "task",
        "values",
    )

    def __init__(
        self,
        task: "Task",
        entry: "Entry",
        values: tuple[int, ...],
        descriptor_paths: bool,
        string_limit: int = STRING_LIMIT,
    ) -> None:
        self.task = task
        self.entry = entry
        #: the arguments
        self.values = values
        #: negative errno or result, once there is one
        self.result = 0
        #: what has to be remembered from the time of the call, by argument index
        self.saved: dict[int, int] = {}
        self.descriptor_paths = descriptor_paths
        #: bytes of a buffer that are shown
        self.string_limit = string_limit

    def read(self, address: int, size: int) -> bytes | None:
        """Guest memory, or None where it cannot be read."""
        if not address:
            return None
        try:
            return self.task.memory.copy_in(address, size)
        except KernelError:
            return None

    def argument(self, index: int) -> int:
        """An argument; 0 past the last one."""
        return self.values[index] if index < len(self.values) else 0

    def of(self, index: int) -> str:
        """What the argument's type says beside the formatter's name."""
        return self.entry.arguments[index][1].of


def mode(value: int) -> str:
    """Permission bits as C writes them: 000, 022, 0644."""
    return "0" + f"{value:02o}"


def _integer(call: Call, index: int) -> str:
    return str(call.values[index])


def _fd(call: Call, index: int) -> str:
    value = call.values[index]
    if not call.descriptor_paths or value < 0:
        return str(value)
    try:
        path = call.task.files.get(value).path
    except KernelError:
        return str(value)
    name = call.task.kernel.path_name(path)
    return f"{value}<{escape(name)}>"


def _directory_fd(call: Call, index: int) -> str:
    return "AT_FDCWD" if call.values[index] == AT_FDCWD else _fd(call, index)


def _string(call: Call, index: int) -> str:
    return read_string(call, call.values[index])


def read_string(call: Call, address: int, limit: int = _PATH_LIMIT) -> str:
    """A NUL-terminated string of the guest, quoted."""
    if not address:
        return "NULL"
    try:
        return quote(call.task.memory.copy_in_string(address, _PATH_LIMIT), limit)
    except KernelError:
        return pointer(address)


def _string_array(call: Call, index: int) -> str:
    address = call.values[index]
    if not address:
        return "NULL"
    elements: list[str] = []
    while (data := call.read(address + 8 * len(elements), 8)) is not None:
        string = int.from_bytes(data, "little")
        if not string:
            return array(elements)
        if len(elements) == _ARRAY_LIMIT:
            return array([*elements, "..."])
        elements.append(read_string(call, string, call.string_limit))
    return pointer(address)


def _environment(call: Call, index: int) -> str:
    address = call.values[index]
    if not address:
        return "NULL"
    count = 0
    while (data := call.read(address + 8 * count, 8)) is not None and any(data):
        count += 1
    return f"{address:#x} /* {count} var{'' if count == 1 else 's'} */"


def show_data(call: Call, address: int, size: int) -> str:
    """The beginning of a buffer."""
    if size <= 0:
        return '""' if address else "NULL"
    data = call.read(address, min(size, call.string_limit + 1))
    if data is None:
        return pointer(address)
    if call.entry.name == "getrandom":
        return quote_hexadecimal(data, call.string_limit)
    return quote(data, call.string_limit)


def _in_buffer(call: Call, index: int) -> str:
    return show_data(call, call.values[index], call.argument(index + 1))


def _out_buffer(call: Call, index: int) -> str:
    return show_data(call, call.values[index], call.result)


def _out_string(call: Call, index: int) -> str:
    return read_string(call, call.values[index])


def _in_vector(call: Call, index: int) -> str:
    return sockets.vector(call.task, call.values[index], call.argument(index + 1), None)


def _out_vector(call: Call, index: int) -> str:
    return sockets.vector(call.task, call.values[index], call.argument(index + 1), call.result)


_STATX_SYNC = {
    0: "AT_STATX_SYNC_AS_STAT",
    0x2000: "AT_STATX_FORCE_SYNC",
    0x4000: "AT_STATX_DONT_SYNC",
    0x6000: "AT_STATX_SYNC_TYPE",
}


def _statx_flags(call: Call, index: int) -> str:
    value = call.values[index]
    shown = _STATX_SYNC[value & 0x6000]
    rest = value & ~0x6000
    return f"{shown}|{FLAG_SETS['at_statx'].format(rest)}" if rest else shown


def _in_signal_mask(call: Call, index: int) -> str:
    data = call.read(call.values[index], 16)
    if data is None:
        return pointer(call.values[index])
    address, size = struct.unpack("<QQ", data)
    shown = show_structure(call, "sigset", address)
    return structure([("sigmask", shown), ("sigsetsize", str(size))])


def _map_flags(call: Call, index: int) -> str:
    value = call.values[index]
    kinds = {1: "MAP_SHARED", 2: "MAP_PRIVATE", 3: "MAP_SHARED_VALIDATE"}
    names, rest = MAP.known(value & ~0xF)
    kind = kinds.get(value & 0xF, hexadecimal(value & 0xF))
    return "|".join([kind, *names] + ([f"{rest:#x}"] if rest else []))


def clone_flags(value: int) -> str:
    """CLONE_VM|SIGCHLD"""
    names, rest = CLONE.known(value & ~0xFF)
    if rest:
        names.append(f"{rest:#x}")
    if value & 0xFF:
        names.append(signal(value & 0xFF))
    return "|".join(names) or "0"


def futex_operation(value: int) -> str:
    """FUTEX_WAIT_PRIVATE, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME"""
    name = NAME_SETS["futex"].format(value & 0x7F)
    if value & 0x80:
        name += "_PRIVATE"
    return name + ("|FUTEX_CLOCK_REALTIME" if value & 0x100 else "")


def show_structure(call: Call, name: str, address: int) -> str:
    """A structure in guest memory; its address where it cannot be read."""
    size, show = STRUCTURES[name]
    data = call.read(address, size)
    return pointer(address) if data is None else show(data)


def _in_structure(call: Call, index: int) -> str:
    return show_structure(call, call.of(index), call.values[index])


def _out_structure(call: Call, index: int) -> str:
    name = call.of(index)
    # Nothing was waited for: the status is what it was.
    if name == "wait_status" and call.result == 0:
        return pointer(call.values[index])
    return show_structure(call, name, call.values[index])


def _in_socket_address(call: Call, index: int) -> str:
    size = call.argument(index + 1)
    data = call.read(call.values[index], max(0, min(size, 128)))
    return pointer(call.values[index]) if data is None else sockets.socket_address(data)


def _out_socket_address(call: Call, index: int) -> str:
    before = call.saved.get(index + 1, 0)
    length = call.read(call.argument(index + 1), 4)
    if length is None:
        return pointer(call.values[index])
    size = min(int.from_bytes(length, "little"), before, 128)
    data = call.read(call.values[index], size)
    return pointer(call.values[index]) if data is None else sockets.socket_address(data)


def _out_socket_length(call: Call, index: int) -> str:
    data = call.read(call.values[index], 4)
    if data is None:
        return pointer(call.values[index])
    after = int.from_bytes(data, "little")
    before = call.saved.get(index, after)
    return f"[{after}]" if before == after else f"[{before} => {after}]"


def _in_socket_option(call: Call, index: int) -> str:
    size = call.argument(index + 1)
    data = call.read(call.values[index], min(max(size, 0), STRING_LIMIT + 1))
    return pointer(call.values[index]) if data is None else _option_value(data)


def _out_socket_option(call: Call, index: int) -> str:
    length = call.read(call.argument(index + 1), 4)
    size = int.from_bytes(length, "little") if length is not None else 0
    data = call.read(call.values[index], min(size, STRING_LIMIT + 1))
    return pointer(call.values[index]) if data is None else _option_value(data)


def _option_value(data: bytes) -> str:
    if len(data) == 4:
        return f"[{int.from_bytes(data, 'little', signed=True)}]"
    if len(data) == 12:
        pid, uid, gid = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
        return structure([("pid", str(pid)), ("uid", str(uid)), ("gid", str(gid))])
    return quote(data)


def _out_directory_entries(call: Call, index: int) -> str:
    address = call.values[index]
    data = call.read(address, call.result) or b""
    count = position = 0
    while position + LINUX_DIRENT64.size <= len(data):
        step = LINUX_DIRENT64.unpack_from(data, position)[2]
        if step < LINUX_DIRENT64.size:
            break
        position += step
        count += 1
    return f"{address:#x} /* {count} entr{'y' if count == 1 else 'ies'} */"


def _out_epoll_events(call: Call, index: int) -> str:
    count = call.result
    data = call.read(call.values[index], EPOLL_EVENT.size * count)
    if data is None:
        return pointer(call.values[index])
    step = EPOLL_EVENT.size
    shown = [epoll_event(data[at : at + step]) for at in range(0, len(data), step)]
    return array(shown[:_ARRAY_LIMIT] + (["..."] if len(shown) > _ARRAY_LIMIT else []))


def poll_entries(call: Call, index: int) -> list[tuple[int, int, int]] | None:
    """The (fd, events, revents) of a poll array."""
    count = min(call.argument(index + 1), _ARRAY_LIMIT)
    data = call.read(call.values[index], POLLFD.size * count)
    if data is None:
        return None
    return [POLLFD.unpack_from(data, POLLFD.size * number) for number in range(count)]


def _poll_fds(call: Call, index: int) -> str:
    entries = poll_entries(call, index)
    if entries is None:
        return pointer(call.values[index])
    shown = [
        structure([("fd", str(fd)), ("events", FLAG_SETS["poll"].format(events & 0xFFFF))])
        if fd >= 0
        else structure([("fd", str(fd))])
        for fd, events, _ in entries
    ]
    if call.argument(index + 1) > _ARRAY_LIMIT:
        shown.append("...")
    return array(shown)


def fd_set(call: Call, address: int) -> str:
    """[3 5]: the members of an fd_set."""
    count = min(max(call.argument(0), 0), 1024)
    data = call.read(address, (count + 7) // 8)
    if data is None:
        return pointer(address)
    bits = int.from_bytes(data, "little")
    return "[" + " ".join(str(fd) for fd in range(count) if bits >> fd & 1) + "]"


def _cpu_set(call: Call, address: int, size: int) -> str:
    data = call.read(address, max(0, min(size, 128)))
    if data is None:
        return pointer(address)
    bits = int.from_bytes(data, "little")
    return "[" + " ".join(str(cpu) for cpu in range(8 * len(data)) if bits >> cpu & 1) + "]"


#: at the time of the call
BEFORE: dict[str, Callable[[Call, int], str]] = {
    "integer": _integer,
    "hexadecimal": lambda call, index: hexadecimal(call.values[index]),
    "address": lambda call, index: pointer(call.values[index]),
    "fd": _fd,
    "directory_fd": _directory_fd,
    "signal": lambda call, index: signal(call.values[index]),
    "mode": lambda call, index: mode(call.values[index]),
    "file_mode": lambda call, index: file_mode(call.values[index]),
    "device": lambda call, index: device(call.values[index]),
    "string": _string,
    "string_array": _string_array,
    "environment": _environment,
    "in_buffer": _in_buffer,
    "in_vector": _in_vector,
    "open_flags": lambda call, index: open_flags(call.values[index]),
    "flags": lambda call, index: FLAG_SETS[call.of(index)].format(
        call.values[index] & 0xFFFFFFFFFFFFFFFF
        if call.values[index] >= 0
        else call.values[index] & 0xFFFFFFFF
    ),
    "name": lambda call, index: NAME_SETS[call.of(index)].format(call.values[index]),
    "statx_flags": _statx_flags,
    "map_flags": _map_flags,
    "clone_flags": lambda call, index: clone_flags(call.values[index]),
    "futex_operation": lambda call, index: futex_operation(call.values[index]),
    "ioctl_request": lambda call, index: requests.ioctl_name(call.values[index]),
    "socket_type": lambda call, index: sockets.socket_type(call.values[index]),
    "socket_protocol": lambda call, index: sockets.protocol(call.argument(0), call.values[index]),
    "socket_option": lambda call, index: sockets.option(
        call.argument(index - 1), call.values[index]
    ),
    "in_signal_mask": _in_signal_mask,
    "in_structure": _in_structure,
    "in_socket_address": _in_socket_address,
    "in_socket_option": _in_socket_option,
    "in_message": lambda call, index: sockets.message(call.task, call.values[index], None, None),
    "in_cpu_set": lambda call, index: _cpu_set(call, call.values[index], call.argument(index - 1)),
    "poll_fds": _poll_fds,
    "fd_set": lambda call, index: fd_set(call, call.values[index]),
}

#: when the call is done; an address where it failed
AFTER: dict[str, Callable[[Call, int], str]] = {
    "out_buffer": _out_buffer,
    "out_string": _out_string,
    "out_vector": _out_vector,
    "out_structure": _out_structure,
    "out_socket_address": _out_socket_address,
    "out_socket_length": _out_socket_length,
    "out_socket_option": _out_socket_option,
    "out_message": lambda call, index: sockets.message(
        call.task, call.values[index], call.result, call.saved.get(index)
    ),
    "out_directory_entries": _out_directory_entries,
    "out_epoll_events": _out_epoll_events,
    "out_cpu_set": lambda call, index: _cpu_set(call, call.values[index], call.result),
}
