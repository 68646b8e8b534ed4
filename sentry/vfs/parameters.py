"""Parameters of file systems: what a mount option may be, and what is said when it is not.

A file system type declares its parameters by name (Linux's `struct fs_parameter_spec`); they are
converted here, for mount(2)'s comma-separated options and fsconfig(2) alike.  Who refuses a
parameter says why: `Refusal` is EINVAL with a message that fsconfig(2) leaves in the context.
"""

from collections.abc import Callable, Mapping

from runsc_py.sentry.auth.user_namespace import IdMap, UserNamespace
from runsc_py.sentry.errors import EINVAL, KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.vfs.open_file import OpenFile

# How a value was given
FLAG = 0
STRING = 1
BINARY = 2
PATH = 3
FILE = 4

_UNSIGNED_LIMIT = 1 << 32
_TRUTHS = {b"0": False, b"false": False, b"no": False, b"1": True, b"true": True, b"yes": True}


class Refusal(KernelError):
    """EINVAL, and messages.  `is_prefixed`: the type's name is to be put before them."""

    number = EINVAL.number

    def __init__(self, *messages: bytes, is_prefixed: bool = True) -> None:
        super().__init__()
        self.messages = messages
        self.is_prefixed = is_prefixed


class Given:
    """A parameter as mount(2) or fsconfig(2) got it."""

    __slots__ = ("file", "kind", "text")

    def __init__(self, kind: int, text: bytes = b"", file: "OpenFile | None" = None) -> None:
        self.kind = kind
        self.text = text
        self.file = file


#: makes a value from (name, what was given, the caller's user namespace).  Errors: Refusal
Parameter = Callable[[bytes, Given, UserNamespace], object]


def bad_value(name: bytes) -> Refusal:
    """What most of them say."""
    return Refusal(b"Bad value for '%s'" % name)


def flag(name: bytes, given: Given, namespace: UserNamespace) -> object:
    """True, of a name alone."""
    if given.kind != FLAG:
        raise Refusal(b"Unexpected value for '%s'" % name)
    return True


def string(name: bytes, given: Given, namespace: UserNamespace) -> object:
    """Text that is not empty."""
    if given.kind != STRING or not given.text:
        raise bad_value(name)
    return given.text


def file_or_string(name: bytes, given: Given, namespace: UserNamespace) -> object:
    """An open file, or text that is not empty."""
    if given.kind == FILE:
        return given.file
    return string(name, given, namespace)


def number(name: bytes, given: Given, namespace: UserNamespace) -> object:
    """An unsigned int in the notations of C."""
    return _number(name, given, 0)


def octal(name: bytes, given: Given, namespace: UserNamespace) -> object:
    """An unsigned int in octal digits."""
    return _number(name, given, 8)


def uid(name: bytes, given: Given, namespace: UserNamespace) -> object:
    """A user id of the caller's namespace, as a global one."""
    return _identifier(name, given, namespace.uid_map)


def gid(name: bytes, given: Given, namespace: UserNamespace) -> object:
    """A group id of the caller's namespace, as a global one."""
    return _identifier(name, given, namespace.gid_map)


def _identifier(name: bytes, given: Given, ids: IdMap) -> int:
    try:
        found = ids.to_global(_number(name, given, 0))
    except Refusal as refusal:
        raise Refusal(*refusal.messages, *refusal.messages) from None  # Linux says it twice
    if found is None:
        raise Refusal(b"Invalid %s '%s'" % (name, given.text))
    return found


def one_of(values: Mapping[bytes, object]) -> Parameter:
    """One of these words; its value."""

    def convert(name: bytes, given: Given, namespace: UserNamespace) -> object:
        if given.kind != STRING or given.text not in values:
            raise bad_value(name)
        return values[given.text]

    return convert


#: a truth
boolean = one_of(_TRUTHS)


def _number(name: bytes, given: Given, base: int) -> int:
    value = None if given.kind != STRING else unsigned(given.text, base)
    if value is None or value >= _UNSIGNED_LIMIT:
        raise bad_value(name)
    return value


def unsigned(text: bytes, base: int) -> int | None:
    """kstrtouint(): digits of a base, or (0) of the base that the prefix says."""
    text = text.removesuffix(b"\n").removeprefix(b"+")
    if base == 0:
        base = 10
        if text[:2].lower() == b"0x":
            base, text = 16, text[2:]
        elif text[:1] == b"0":
            base = 8
    if not text.isalnum():
        return None
    try:
        return int(text, base)
    except ValueError:
        return None
