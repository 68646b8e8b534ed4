"""What the structures of config.json have in common, and the numbers and texts they are made of.

A structure is a message (runsc/control/message.py): its annotations are the schema, so that a value
of a wrong type, a number out of range or a missing member is an error that names its place
(`$.process.user.uid`).
"""

from runsc_py.runsc.control.message import Rule, dataclass_transform, field, message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated as Annotated
    from typing import Literal as Literal
else:

    class Annotated:
        """`Annotated[type, rule]` is the rule, about that type."""

        def __class_getitem__(cls, words):
            kind, rule = words
            rule.kind = kind
            return rule

    class Literal:
        """`Literal["a", "b"]` is one of these."""

        def __class_getitem__(cls, words):
            return OneOf(words if isinstance(words, tuple) else (words,))


class OneOf(Rule):
    """Some texts."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        super().__init__(str)
        self.texts = texts

    def objection(self, value: str) -> str:
        """All others."""
        return "" if value in self.texts else f"Invalid enum value {value!r}"


def texts_of(kind: object) -> tuple[str, ...]:
    """Those of a `Literal`."""
    assert isinstance(kind, OneOf)
    return kind.texts


class Range(Rule):
    """Numbers between two, both of them included."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(int)
        self.least = least
        self.most = most

    def objection(self, value: int) -> str:
        """All others."""
        if value < self.least:
            return f"Expected `int` >= {self.least}"
        return f"Expected `int` <= {self.most}" if value > self.most else ""


class Matching(Rule):
    """Texts of a pattern."""

    def __init__(self, pattern: str) -> None:
        super().__init__(str)
        self.pattern = pattern

    def objection(self, value: str) -> str:
        """All others."""
        import re  # rare ones have a pattern

        return "" if re.fullmatch(self.pattern, value) else f"Expected `str` like {self.pattern}"


class Spelled(Rule):
    """Texts of some characters, behind a prefix."""

    def __init__(self, characters: str, prefix: str = "") -> None:
        super().__init__(str)
        self.prefix = prefix
        self.characters = characters

    def objection(self, value: str) -> str:
        """All others."""
        if value.startswith(self.prefix) and not value[len(self.prefix) :].strip(self.characters):
            return ""
        return f"Expected `str` of {self.prefix}{self.characters}"


class NotEmpty(Rule):
    """Lists with an element."""

    def objection(self, value: list[object]) -> str:
        """The others."""
        return "" if value else "Expected `array` of length >= 1"


Uint16 = Annotated[int, Range(0, 0xFFFF)]
Uint32 = Annotated[int, Range(0, 0xFFFF_FFFF)]
Int32 = Annotated[int, Range(-(1 << 31), (1 << 31) - 1)]
Uint64 = Annotated[int, Range(0, (1 << 64) - 1)]
Int64 = Annotated[int, Range(-(1 << 63), (1 << 63) - 1)]

StringMap = dict[str, str]


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Structure:
    """A JSON object; members are called as in the specification, in Python's spelling."""

    def __init_subclass__(cls) -> None:
        message(cls)
        for name, one in cls.FIELDS.items():  # type: ignore[attr-defined]
            one.name = one.name or _camel(name)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
