"""Messages as maps and back, checked: the arguments and results of control calls, and config.json.

Types that a field may have: None, bool, int, float, str, bytes, object (any plain value), another
message, a `Rule`, `list[T]`, `dict[str, T]` and `T | None`.  Nothing else is accepted, and nothing
is converted: an unknown field, a missing one without a default or a wrong type is an error.
"""

from types import GenericAlias, NoneType, UnionType

from runsc_py.runsc.control.errors import ControlError
from runsc_py.runsc.control.message import Field, Maybe, Rule, fields_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

_PLAIN = (bool, int, float, str, bytes, NoneType)
_OPTIONAL = (UnionType, Maybe)
#: types as a document has them
_NAMES = {dict: "object", list: "array", NoneType: "null"}


class Mismatch(ValueError):
    """A value of another type than is expected; `place` is put together on the way out."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
        self.place = ""

    def __str__(self) -> str:
        return f"{self.text} - at `${self.place}`"


def encode(value: object) -> object:
    """A value as msgpack takes it."""
    fields = fields_of(value)
    if fields is not None:
        return {name: encode(getattr(value, name)) for name in fields}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        return {key: encode(item) for key, item in value.items()}
    return value


def decode(kind: "type[T]", value: object, where: str = "") -> "T":
    """The value of type `kind` that a plain one stands for.  Raises ControlError."""
    try:
        return convert(kind, value)
    except Mismatch as error:
        raise ControlError(f"{where}: {error}" if where else str(error)) from None


def convert(kind: "type[T]", value: object, *, strict: bool = True) -> "T":
    """The same.  Raises Mismatch; without `strict`, unknown fields are left out."""
    converted: Any = _convert(kind, value, strict)
    return converted  # type: ignore[no-any-return]


def _convert(kind: object, value: object, strict: bool) -> object:
    if type(value) is kind and kind in _PLAIN:
        return value
    fields = fields_of(kind)
    if fields is not None:
        return _convert_message(kind, fields, value, strict)
    if isinstance(kind, Rule):
        converted = _convert(kind.kind, value, strict)
        if objection := kind.objection(converted):
            raise Mismatch(objection)
        return converted
    if isinstance(kind, _OPTIONAL):
        return None if value is None else _convert(_present(kind), value, strict)
    if isinstance(kind, GenericAlias):
        return _convert_container(kind, value, strict)
    if kind is object:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is None and value is None:
        return None
    raise _unexpected(kind, value)


def _present(kind: UnionType | Maybe) -> object:
    """The `T` of `T | None`."""
    if isinstance(kind, Maybe):
        return kind.rule
    (other,) = (option for option in kind.__args__ if option is not NoneType)
    return other


def _convert_container(kind: GenericAlias, value: object, strict: bool) -> object:
    if kind.__origin__ is list:
        if type(value) is not list:
            raise _unexpected(list, value)
        return _convert_items(kind.__args__[0], value, strict)
    assert kind.__origin__ is dict, kind
    if type(value) is not dict or not all(type(key) is str for key in value):
        raise _unexpected(dict, value)
    try:
        return {key: _convert(kind.__args__[1], item, strict) for key, item in value.items()}
    except Mismatch as error:
        error.place = "[...]" + error.place
        raise


def _convert_items(kind: object, items: list[object], strict: bool) -> list[object]:
    converted: list[object] = []
    try:
        for item in items:
            converted.append(_convert(kind, item, strict))
    except Mismatch as error:
        error.place = f"[{len(converted)}]{error.place}"
        raise
    return converted


def _convert_message(kind: "Any", fields: dict[str, Field], value: object, strict: bool) -> object:
    if type(value) is not dict:
        raise _unexpected(dict, value)
    arguments = {}
    left = len(value)
    for name, field in fields.items():
        called = field.name or name
        if called in value:
            left -= 1
            try:
                arguments[name] = _convert(field.kind, value[called], strict)
            except Mismatch as error:
                error.place = f".{called}{error.place}"
                raise
        elif field.is_required:
            raise Mismatch(f"Object missing required field `{called}`")
    if left and strict:
        known = [field.name or name for name, field in fields.items()]
        unknown = next(name for name in value if name not in known)
        raise Mismatch(f"Object contains unknown field {unknown!r}")
    return kind(**arguments)


def _unexpected(kind: object, value: object) -> Mismatch:
    return Mismatch(f"Expected `{_name(kind)}`, got `{_name(type(value))}`")


def _name(kind: object) -> str:
    assert isinstance(kind, type), kind
    return _NAMES.get(kind, kind.__name__)
