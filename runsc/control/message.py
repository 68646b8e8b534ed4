"""`@message`: classes that are a list of typed fields, as `dataclasses` makes them.

The standard library's would do the same, and cost every command 25 milliseconds: it imports
`inspect` and compiles three functions a class.  What a field is comes from the annotations; the
codec reads `FIELDS`.  A type may have a condition (`Rule`).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar
    from typing import dataclass_transform as dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_: object):
        """What type checkers know of it is nothing at run time."""
        return lambda decorator: decorator


class Field:
    """One field: its type, its default, whether it is shown, and how it is called elsewhere."""

    __slots__ = ("default", "factory", "kind", "name", "shown")

    def __init__(
        self,
        kind: object,
        default: object,
        factory: "Callable[[], object] | None",
        shown: bool,
        name: str = "",
    ) -> None:
        self.kind = kind
        self.default = default
        self.factory = factory
        self.shown = shown
        #: what a document calls it; empty for its own name
        self.name = name

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED and self.factory is None

    def is_default(self, value: object) -> bool:
        """Whether an object has this value when nothing is said."""
        default = self.factory() if self.factory is not None else self.default
        return type(value) is type(default) and value == default


REQUIRED = object()


class Rule:
    """A type, of which not every value will do."""

    def __init__(self, kind: object = str) -> None:
        self.kind = kind

    def objection(self, value: "Any") -> str:
        """Why a value of the type will not do; empty when it does."""
        raise NotImplementedError

    def __or__(self, nothing: None) -> "Maybe":
        return Maybe(self)


class Maybe:
    """`Rule | None`."""

    __slots__ = ("rule",)

    def __init__(self, rule: Rule) -> None:
        self.rule = rule


def field(
    *,
    default: object = REQUIRED,
    default_factory: "Any" = None,
    shown: bool = True,
    name: str = "",
) -> "Any":
    """A field that a document calls otherwise, or which is not shown in logs, or whose default is
    made for each object."""
    return Field(None, default, default_factory, shown, name)


@dataclass_transform(field_specifiers=(field,))
def message(kind: "type[T]") -> "type[T]":
    """Give a class its constructor, a text that hides what is not to be shown, and equality."""
    fields: dict[str, Field] = dict(getattr(kind, "FIELDS", {}))
    for name, annotation in kind.__annotations__.items():
        given = kind.__dict__.get(name, REQUIRED)
        if isinstance(given, Field):
            one = given
        elif given in ([], {}):
            one = Field(None, REQUIRED, type(given), True)  # each object has its own
        else:
            one = Field(None, given, None, True)
        one.kind = annotation
        fields[name] = one
    made: Any = kind
    made.FIELDS = fields
    made.__init__ = _initialize
    made.__repr__ = _show
    made.__eq__ = _equals
    made.__hash__ = None
    return kind


def fields_of(kind: object) -> "dict[str, Field] | None":
    """The fields of a message or its class; None for anything else."""
    return getattr(kind, "FIELDS", None)


def _initialize(self: object, *positional: object, **named: object) -> None:
    fields: dict[str, Field] = self.FIELDS  # type: ignore[attr-defined]
    if len(positional) > len(fields):
        raise TypeError(f"{type(self).__name__} has {len(fields)} fields, not {len(positional)}")
    for name, value in zip(fields, positional, strict=False):
        if name in named:
            raise TypeError(f"{type(self).__name__}: {name} is given twice")
        setattr(self, name, value)
    for name, one in list(fields.items())[len(positional) :]:
        if name in named:
            setattr(self, name, named.pop(name))
        elif one.factory is not None:
            setattr(self, name, one.factory())
        elif one.default is not REQUIRED:
            setattr(self, name, one.default)
        else:
            raise TypeError(f"{type(self).__name__}: {name} is missing")
    if named:
        raise TypeError(f"{type(self).__name__} has no {', '.join(named)}")


def _show(self: object) -> str:
    fields: dict[str, Field] = self.FIELDS  # type: ignore[attr-defined]
    shown = (f"{name}={getattr(self, name)!r}" for name, one in fields.items() if one.shown)
    return f"{type(self).__name__}({', '.join(shown)})"


def _equals(self: object, other: object) -> object:
    if type(self) is not type(other):
        return NotImplemented
    fields: dict[str, Field] = self.FIELDS  # type: ignore[attr-defined]
    return all(getattr(self, name) == getattr(other, name) for name in fields)
