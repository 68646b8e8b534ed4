"""Asking the host about its interfaces and routes, for `--network host`.

Only requests that `socket/netlink.py` has found to be RTM_GET* come here.
"""

from runsc_py.sentry.abi.netlink import NLM_F_MULTI, NLMSG_DONE, NLMSG_ERROR, NLMSGHDR
from runsc_py.sentry.abi.sockets import AF_NETLINK
from runsc_py.sentry.errors import EIO, error_for

_RECEIVE_SIZE = 1 << 16


def ask_host(request: bytes) -> list[tuple[int, bytes]]:
    """(type, payload) of each answer.  Errors: what the host's answer says, EIO."""
    from _socket import SOCK_CLOEXEC, SOCK_RAW, socket

    host = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0)
    try:
        host.settimeout(1.0)
        host.send(request)
        answers: list[tuple[int, bytes]] = []
        while _collect(host.recv(_RECEIVE_SIZE), answers):
            pass
    except TimeoutError:
        raise EIO from None
    finally:
        host.close()
    return answers


def _collect(data: bytes, answers: list[tuple[int, bytes]]) -> bool:
    """Take the messages of one datagram; whether more will follow."""
    position = 0
    more = False
    while position + NLMSGHDR.size <= len(data):
        length, kind, flags, _, _ = NLMSGHDR.unpack_from(data, position)
        if length < NLMSGHDR.size:
            raise EIO
        body = data[position + NLMSGHDR.size : position + length]
        if kind == NLMSG_DONE:
            return False
        if kind == NLMSG_ERROR:
            number = -int.from_bytes(body[:4], "little", signed=True)
            if number:
                raise error_for(number)
            return False
        answers.append((kind, body))
        more = bool(flags & NLM_F_MULTI)
        position += (length + 3) & ~3
    return more
