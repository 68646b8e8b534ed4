"""JSON documents of images, which somebody sent: bounded, and looked into with types checked."""

from collections.abc import Mapping

from runsc_py.runsc.archive.errors import ArchiveError

#: bytes; containerd and docker have the same order of magnitude
LARGEST_DOCUMENT = 8 << 20

Document = Mapping[str, object]


def decode(data: bytes, what: str) -> object:
    """The document.  Raises ArchiveError."""
    import json

    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):
        raise ArchiveError(f"{what} is not JSON") from None
    return value


def as_mapping(value: object, what: str) -> Document:
    """An object.  Raises ArchiveError."""
    if not isinstance(value, dict):
        raise ArchiveError(f"{what} is not an object")
    return value


def mapping(document: Document, key: str) -> Document:
    """A member that is an object; missing or null is empty."""
    value = document.get(key)
    return {} if value is None else as_mapping(value, key)


def objects(document: Document, key: str) -> list[Document]:
    """A member that is a list of objects; missing or null is empty."""
    value = document.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ArchiveError(f"{key} is not a list")
    return [as_mapping(item, f"{key}[{index}]") for index, item in enumerate(value)]


def text(document: Document, key: str) -> str:
    """A member that is a string without NUL; missing or null is empty."""
    value = document.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise ArchiveError(f"{key} is not a string")
    return value


def texts(document: Document, key: str) -> list[str] | None:
    """A member that is a list of strings; missing or null is None."""
    value = document.get(key)
    if value is None:
        return None
    if not isinstance(value, list):
        raise ArchiveError(f"{key} is not a list")
    for item in value:
        if not isinstance(item, str) or "\0" in item:
            raise ArchiveError(f"{key} is not a list of strings")
    return value


def size(document: Document, key: str) -> int:
    """A member that is a length in bytes."""
    value = document.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ArchiveError(f"{key} is not a length")
    return value


def digest(document: Document, key: str) -> str:
    """A member that is a digest."""
    return check_digest(text(document, key))


def check_digest(value: str) -> str:
    """`sha256:` and 64 hexadecimal digits; it becomes part of file names."""
    algorithm, _, digits = value.partition(":")
    if algorithm != "sha256":
        raise ArchiveError(f"{value[:80]!r}: only sha256 digests are supported")
    if len(digits) != 64 or digits.strip("0123456789abcdef"):
        raise ArchiveError(f"{value[:80]!r} is no digest")
    return value
