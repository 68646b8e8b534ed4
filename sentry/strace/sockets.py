"""Socket addresses, messages and options in strace's notation."""

import socket as host_socket

from runsc_py.sentry.abi.sockets import (
    CMSGHDR,
    IOVEC,
    MSGHDR,
    SOCKADDR_IN,
    SOCKADDR_IN6,
    SOCKADDR_NL,
    UCRED,
)
from runsc_py.sentry.errors import KernelError
from runsc_py.sentry.strace.flags import FLAG_SETS
from runsc_py.sentry.strace.names import NAME_SETS
from runsc_py.sentry.strace.text import array, escape, pointer, quote, structure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_SOL_SOCKET = 1
_SCM_RIGHTS, _SCM_CREDENTIALS = 1, 2
_VECTOR_LIMIT = 32


def socket_type(value: int) -> str:
    """SOCK_STREAM|SOCK_CLOEXEC"""
    kind = NAME_SETS["socket_type"].format(value & 0xF)
    rest = value & ~0xF
    return f"{kind}|{FLAG_SETS['socket_type'].format(rest)}" if rest else kind


def protocol(domain: int, value: int) -> str:
    """The third argument of socket(2), by its first."""
    if domain in (_AF_INET, _AF_INET6):
        return NAME_SETS["inet_protocol"].format(value)
    if domain == _AF_NETLINK:
        return NAME_SETS["netlink_protocol"].format(value)
    return str(value)


def option(level: int, value: int) -> str:
    """The name of a socket option, by its level."""
    kinds = {0: "ip_option", 1: "socket_option", 6: "tcp_option", 41: "ipv6_option"}
    return NAME_SETS[kinds[level]].format(value) if level in kinds else f"{value:#x}"


def _unix_path(path: bytes) -> str:
    if path[:1] == b"\0":
        return f'@"{escape(path[1:])}"'
    return f'"{escape(path.split(bytes(1), 1)[0])}"'


def socket_address(data: bytes) -> str:
    """A struct sockaddr of any family that is known."""
    if len(data) < 2:
        return quote(data)
    family = int.from_bytes(data[:2], "little")
    fields = [("sa_family", NAME_SETS["address_family"].format(family))]
    if family == _AF_UNIX:
        if len(data) > 2:
            fields.append(("sun_path", _unix_path(data[2:])))
    elif family == _AF_INET and len(data) >= SOCKADDR_IN.size:
        _, port, address = SOCKADDR_IN.unpack_from(data)
        fields.append(("sin_port", f"htons({int.from_bytes(port, 'big')})"))
        fields.append(("sin_addr", f'inet_addr("{host_socket.inet_ntoa(address)}")'))
    elif family == _AF_INET6 and len(data) >= SOCKADDR_IN6.size:
        _, port, flow, address, scope = SOCKADDR_IN6.unpack_from(data)
        text = host_socket.inet_ntop(host_socket.AF_INET6, address)
        return (
            f"{{sa_family=AF_INET6, sin6_port=htons({int.from_bytes(port, 'big')}), "
            f'sin6_flowinfo=htonl({flow}), inet_pton(AF_INET6, "{text}", &sin6_addr), '
            f"sin6_scope_id={scope}}}"
        )
    elif family == _AF_NETLINK and len(data) >= SOCKADDR_NL.size:
        _, pid, groups = SOCKADDR_NL.unpack_from(data)
        fields += [("nl_pid", str(pid)), ("nl_groups", f"{groups:08x}")]
    else:
        fields.append(("sa_data", quote(data[2:])))
    return structure(fields)


def vector(task: "Task", address: int, count: int, available: int | None) -> str:
    """A struct iovec array; `available` limits the data shown (None: as long as it says)."""
    if not address:
        return "NULL"
    shown = min(count, _VECTOR_LIMIT)
    try:
        data = task.memory.copy_in(address, IOVEC.size * shown)
    except KernelError:
        return pointer(address)
    elements = []
    for index in range(shown):
        base, length = IOVEC.unpack_from(data, IOVEC.size * index)
        valid = length if available is None else min(length, available)
        if available is not None:
            available -= valid
        try:
            text = quote(task.memory.copy_in(base, min(valid, 33)))
            if valid > 33 and not text.endswith("..."):
                text += "..."
        except KernelError:
            text = pointer(base)
        elements.append(structure([("iov_base", text), ("iov_len", str(length))]))
    if count > shown:
        elements.append("...")
    return array(elements)


def _control(data: bytes) -> str:
    """The control messages of a struct msghdr."""
    elements = []
    position = 0
    while position + CMSGHDR.size <= len(data):
        length, level, kind = CMSGHDR.unpack_from(data, position)
        if length < CMSGHDR.size or position + length > len(data):
            break
        body = data[position + CMSGHDR.size : position + length]
        fields = [
            ("cmsg_len", str(length)),
            ("cmsg_level", NAME_SETS["socket_level"].format(level)),
        ]
        if level == _SOL_SOCKET and kind == _SCM_RIGHTS:
            files = [
                str(int.from_bytes(body[index : index + 4], "little", signed=True))
                for index in range(0, len(body) - 3, 4)
            ]
            fields += [("cmsg_type", "SCM_RIGHTS"), ("cmsg_data", array(files))]
        elif level == _SOL_SOCKET and kind == _SCM_CREDENTIALS and len(body) >= UCRED.size:
            pid, uid, gid = UCRED.unpack_from(body)
            who = structure([("pid", str(pid)), ("uid", str(uid)), ("gid", str(gid))])
            fields += [("cmsg_type", "SCM_CREDENTIALS"), ("cmsg_data", who)]
        else:
            fields += [("cmsg_type", f"{kind:#x}"), ("cmsg_data", quote(body))]
        elements.append(structure(fields))
        position += (length + 7) & ~7
    return array(elements)


def message(task: "Task", address: int, available: int | None, name_size: int | None) -> str:
    """A struct msghdr: `available` bytes of data; `name_size` is what the caller passed in."""
    try:
        header = MSGHDR.as_dict(task.memory.copy_in(address, MSGHDR.size))
        size = min(header["msg_namelen"], 128) if header["msg_name"] else 0
        name = task.memory.copy_in(header["msg_name"], size) if size > 0 else b""
        control_size = min(header["msg_controllen"], 4096) if header["msg_control"] else 0
        control = task.memory.copy_in(header["msg_control"], control_size)
    except KernelError:
        return pointer(address)
    length = str(header["msg_namelen"])
    if name_size is not None and name_size != header["msg_namelen"]:
        length = f"{name_size} => {length}"
    fields = [
        ("msg_name", socket_address(name) if name else pointer(header["msg_name"])),
        ("msg_namelen", length),
        ("msg_iov", vector(task, header["msg_iov"], header["msg_iovlen"], available)),
        ("msg_iovlen", str(header["msg_iovlen"])),
    ]
    if control:
        fields.append(("msg_control", _control(control)))
    fields.append(("msg_controllen", str(header["msg_controllen"])))
    fields.append(("msg_flags", FLAG_SETS["message"].format(header["msg_flags"])))
    return structure(fields)
