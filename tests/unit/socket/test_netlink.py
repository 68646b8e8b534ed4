"""What the loopback looks like through rtnetlink(7) and netdevice(7)."""

import errno
import struct

from harness.io_world import IoTask, as_task
from runsc_py.sentry.abi.netlink import (
    NLM_F_DUMP,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    NLMSGHDR,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
)
from runsc_py.sentry.abi.sockets import AF_NETLINK, IFREQ, SIOCGIFCONF, SIOCGIFMTU, SOCK_RAW
from runsc_py.sentry.syscalls.socket_messages import recvfrom, sendto
from runsc_py.sentry.syscalls.sockets import socket


def ask(task: IoTask, kind: int, flags: int = NLM_F_DUMP) -> list[tuple[int, bytes]]:
    """(type, payload) of each answer."""
    fd = task.call(socket, AF_NETLINK, SOCK_RAW, 0)
    request = NLMSGHDR.pack(NLMSGHDR.size + 16, kind, NLM_F_REQUEST | flags, 42, 0) + bytes(16)
    assert task.call(sendto, fd, task.put(request), len(request), 0, 0, 0) == len(request)
    answers: list[tuple[int, bytes]] = []
    buffer = task.put(8192)
    while not answers or answers[-1][0] not in (NLMSG_DONE, NLMSG_ERROR):
        data = task.get(buffer, task.call(recvfrom, fd, buffer, 8192, 0, 0, 0))
        position = 0
        while position < len(data):
            length, type_, _, sequence, _ = NLMSGHDR.unpack_from(data, position)
            assert sequence == 42
            answers.append((type_, data[position + NLMSGHDR.size : position + length]))
            position += (length + 3) & ~3
    return answers


def test_links_and_addresses(task: IoTask) -> None:
    """One link called lo, an address of each family."""
    links = ask(task, RTM_GETLINK)
    assert [kind for kind, _ in links] == [RTM_NEWLINK, NLMSG_DONE]
    assert b"lo\0" in links[0][1]
    addresses = ask(task, RTM_GETADDR)
    assert [kind for kind, _ in addresses] == [RTM_NEWADDR, RTM_NEWADDR, NLMSG_DONE]
    assert b"\x7f\0\0\1" in addresses[0][1]


def test_changes_are_refused(task: IoTask) -> None:
    """EPERM, as without CAP_NET_ADMIN."""
    ((kind, body),) = ask(task, RTM_NEWADDR, 0)
    assert kind == NLMSG_ERROR
    assert int.from_bytes(body[:4], "little", signed=True) == -errno.EPERM


def test_interface_requests(task: IoTask) -> None:
    """SIOCGIFCONF lists lo; an unknown name is ENODEV."""
    file = task.file(task.call(socket, AF_NETLINK, SOCK_RAW, 0))
    room = task.put(200)
    argument = task.put(struct.pack("<i4xQ", 200, room))
    assert file.ioctl(as_task(task), SIOCGIFCONF, argument) == 0
    assert struct.unpack("<i", task.get(argument, 4)) == (IFREQ.size,)
    assert task.get(room, 3) == b"lo\0"
    assert file.ioctl(as_task(task), SIOCGIFMTU, room) == 0
    assert int.from_bytes(task.get(room + 16, 4), "little") == 65536
    unknown = task.put(b"eth7".ljust(40, b"\0"))
    assert task.start(lambda task: file.ioctl(as_task(task), SIOCGIFMTU, unknown)) == -errno.ENODEV
