"""What a child has of the task that made it, of the state that few tasks have (`Task.extras`)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Inherited:
    """A value in `Task.extras` of which a child gets another one; others are shared as they are."""

    __slots__ = ()

    def for_child(self) -> Inherited:
        """What a child begins with."""
        raise NotImplementedError


def value_for_child(value: Any) -> Any:
    """A parent's value as the child has it."""
    return value.for_child() if isinstance(value, Inherited) else value
