"""What an image says about how it is to be run."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ImageConfig:
    """The part of an image's configuration that a run honours; the words are docker's."""

    __slots__ = ("command", "entrypoint", "environment", "user", "working_directory")

    def __init__(
        self,
        entrypoint: list[str] | None = None,
        command: list[str] | None = None,
        environment: list[str] | None = None,
        user: str = "",
        working_directory: str = "",
    ) -> None:
        self.entrypoint = entrypoint or []
        self.command = command or []
        #: `NAME=VALUE`
        self.environment = environment or []
        #: `USER[:GROUP]`; empty: root
        self.user = user
        #: empty: `/`
        self.working_directory = working_directory

    def as_record(self) -> "dict[str, Any]":
        """For the cache's own records."""
        return {name: getattr(self, name) for name in self.__slots__}

    def variables(self) -> dict[str, str]:
        """The environment; what is no assignment says nothing."""
        pairs = (assignment.partition("=") for assignment in self.environment)
        return {name: value for name, equals, value in pairs if name and equals}

    def words(self, command: list[str], entrypoint: str | None) -> list[str]:
        """What to execute, as docker does it.

        `command` takes the place of the configured one, `entrypoint` of both; an empty
        `entrypoint` is none.
        """
        if entrypoint is not None:
            return ([entrypoint] if entrypoint else []) + command
        return self.entrypoint + (command or self.command)
