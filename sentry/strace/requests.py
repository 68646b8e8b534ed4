"""ioctl(2) requests and their arguments."""

from runsc_py.sentry.abi.ioctl import TERMIOS
from runsc_py.sentry.strace.names import NAME_SETS

_DIRECTIONS = ("_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE")

#: request → (structure, whether the kernel fills it)
ARGUMENTS: dict[int, tuple[str, bool]] = {
    0x5401: ("termios", True),
    0x5402: ("termios", False),
    0x5403: ("termios", False),
    0x5404: ("termios", False),
    0x540F: ("int", True),
    0x5410: ("int", False),
    0x5411: ("int", True),
    0x5413: ("winsize", True),
    0x5414: ("winsize", False),
    0x541B: ("int", True),
    0x5421: ("int", False),
    0x5429: ("int", True),
    0x5452: ("int", False),
    0x80045430: ("int", True),
    0x40045431: ("int", False),
}
#: requests without an argument
BARE = frozenset((0x540C, 0x540D, 0x5422, 0x5450, 0x5451))

_BAUD_RATES = {0o15: "B9600", 0o16: "B19200", 0o17: "B38400", 0o10002: "B115200"}
_CBAUD = 0o10017
_OPOST, _ISIG, _ICANON, _ECHO = 1, 1, 2, 8


def ioctl_name(request: int) -> str:
    """TCGETS, or _IOC(direction, type, number, size)."""
    name = NAME_SETS["ioctl"].format(request)
    if not name.endswith("*/"):
        return name
    direction = _DIRECTIONS[request >> 30 & 3]
    kind, number, size = request >> 8 & 0xFF, request & 0xFF, request >> 16 & 0x3FFF
    return f"_IOC({direction}, {kind:#x}, {number:#x}, {size:#x})"


def termios(data: bytes) -> str:
    """{B38400 opost isig icanon echo ...}"""
    values = TERMIOS.as_dict(data)
    rate = _BAUD_RATES.get(values["c_cflag"] & _CBAUD, "B0")
    words = [rate]
    for field, flag, name in (
        ("c_oflag", _OPOST, "opost"),
        ("c_lflag", _ISIG, "isig"),
        ("c_lflag", _ICANON, "icanon"),
        ("c_lflag", _ECHO, "echo"),
    ):
        words.append(name if values[field] & flag else f"-{name}")
    return "{" + " ".join(words) + " ...}"
