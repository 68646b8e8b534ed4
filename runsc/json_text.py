"""JSON by what the standard library's `json` is made of.

The package itself imports `re` and `enum`, which takes longer than all else that `state` or `kill`
do.  Stricter than it in one thing: NaN and Infinity are no JSON.
"""

from _json import encode_basestring_ascii, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_WHITE = " \t\n\r"


def _refuse(value: object) -> "NoReturn":
    raise ValueError(f"not JSON: {value!r}")


class _Reading:
    """What the scanner asks how values are made."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse)
    memo: "dict[str, str]" = {}


_scan = make_scanner(_Reading())  # type: ignore[arg-type]


def decode(content: bytes) -> "Any":
    """The value that a text stands for.  Raises ValueError."""
    text = content.decode()
    start = len(text) - len(text.lstrip(_WHITE))
    try:
        value, end = _scan(text, start)
    except StopIteration:
        raise ValueError("the text is truncated" if start == len(text) else "not JSON") from None
    except SystemError:
        # Python 3.11's scanner has errors to raise only once the package is imported.
        from json import loads

        value, end = loads(text), len(text)
    except RecursionError:
        raise ValueError("too deep") from None
    if text[end:].strip(_WHITE):
        raise ValueError("something follows the value")
    return value


def encode(value: object, separators: tuple[str, str] = (", ", ": ")) -> str:
    """In one line, in ASCII, as json.dumps has it.  Raises ValueError for what JSON has not."""
    between, behind = separators
    write = make_encoder(
        {}, _refuse, encode_basestring_ascii, None, behind, between, False, False, False
    )
    return "".join(write(value, 0))


def encode_compact(value: object) -> str:
    """Without spaces, as programs in Go write it."""
    return encode(value, (",", ":"))


def encode_indented(value: object, margin: str = "") -> str:
    """For people: a line for each member, as json.dumps(value, indent=2) has it."""
    inner = margin + "  "
    if isinstance(value, dict) and value:
        parts = [f"{encode(key)}: {encode_indented(one, inner)}" for key, one in value.items()]
        brackets = "{}"
    elif isinstance(value, list) and value:
        parts = [encode_indented(one, inner) for one in value]
        brackets = "[]"
    else:
        return encode(value)
    lines = f",\n{inner}".join(parts)
    return f"{brackets[0]}\n{inner}{lines}\n{margin}{brackets[1]}"
