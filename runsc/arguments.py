"""Command lines: options declared once, from which parsing, help and shell completion come.

Not argparse: it costs a fifth of a sandbox's start-up time, cannot stop at the first word of the
sandboxed command, and its messages do not say what to do.  The rules are those of
getopt_long(3) without permutation: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`, flags
bundled as `-it`; options end at `--` or at the first word that is none.
"""

from __future__ import annotations

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: columns of help before an option's text
MARGIN = 30
WIDTH = 80

#: what a value is, for shell completion
FILE, DIRECTORY, USER, TEXT = "file", "directory", "user", "text"

#: operands that are names of files, or of containers, for shell completion
FILES = (FILE,)
CONTAINER = ("container",)


class Option:
    """One option.  Without a `value` name it is a flag."""

    __slots__ = ("choices", "completes", "help", "hidden", "names", "optional", "repeats", "value")

    def __init__(
        self,
        names: str,
        value: str = "",
        help: str = "",  # noqa: A002
        *,
        optional: bool = False,
        repeats: bool = False,
        hidden: bool = False,
        choices: tuple[str, ...] = (),
        completes: str = TEXT,
    ) -> None:
        self.names = tuple(names.split())
        self.value = value
        self.help = help
        #: the value may be left out, and is then the empty string; only `--name=VALUE` gives one
        self.optional = optional
        self.repeats = repeats
        self.hidden = hidden
        self.choices = choices
        self.completes = completes

    @property
    def key(self) -> str:
        """The first long name, without dashes."""
        return next(name for name in self.names if name.startswith("--"))[2:]


HELP = Option("-h --help", help="show this help")


class Syntax:
    """What one command takes: groups of options, and operands after them."""

    __slots__ = ("description", "epilog", "groups", "operands", "refused", "usage")

    def __init__(
        self,
        usage: str,
        description: str,
        groups: Sequence[tuple[str, Sequence[Option]]] = (),
        *,
        operands: Sequence[str] | None = None,
        epilog: str = "",
        refused: Mapping[str, str] | None = None,
    ) -> None:
        self.usage = usage
        self.description = description
        self.groups = (*groups, ("", (HELP,)))
        #: the words it can be given, for completion; None: a command line to run
        self.operands = operands
        self.epilog = epilog
        #: names of options that others have and we do not, and what to say of them
        self.refused = refused or {}

    def options(self) -> list[Option]:
        """All of them, in the order of the help text."""
        return [option for _, options in self.groups for option in options]


class Parsed:
    """The values of a command line, by the options' long names."""

    __slots__ = ("operands", "values")

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self.operands: list[str] = []

    def has(self, key: str) -> bool:
        """Whether the option was given."""
        return key in self.values

    def last(self, key: str) -> str | None:
        """The value that counts when it was given more than once; None when it was not."""
        values = self.values.get(key)
        return values[-1] if values else None

    def all(self, key: str) -> list[str]:
        """Every value of an option that may be repeated."""
        return self.values.get(key, [])


def parse(syntax: Syntax, words: Sequence[str], program: str) -> Parsed:
    """Raises RunscError, one line that names the word and what is possible."""
    by_name = {name: option for option in syntax.options() for name in option.names}
    parsed = Parsed()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if word == "-" or not word.startswith("-"):
            rest.insert(0, word)
            break
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            option = by_name.get(name)
            if option is None:
                if (reason := syntax.refused.get(name[2:])) is not None:
                    raise RunscError(f"{name}: {reason}")
                raise RunscError(_unknown(name, by_name, program))
            if equals and not option.value:
                raise RunscError(f"{name} takes no value")
            _store(parsed, option, name, value if equals else None, rest, program)
        else:
            _parse_short(parsed, word, by_name, rest, program)
    parsed.operands = rest
    return parsed


def _parse_short(
    parsed: Parsed, word: str, by_name: dict[str, Option], rest: list[str], program: str
) -> None:
    """`-it`, `-w DIR`, `-wDIR`."""
    letters = word[1:]
    while letters:
        name, letters = f"-{letters[0]}", letters[1:]
        option = by_name.get(name)
        if option is None:
            raise RunscError(_unknown(name, by_name, program))
        value = None
        if option.value and letters:
            value, letters = letters.removeprefix("="), ""
        _store(parsed, option, name, value, rest, program)


def _store(
    parsed: Parsed, option: Option, name: str, value: str | None, rest: list[str], program: str
) -> None:
    if value is None:
        value = ""
        if option.value and not option.optional:
            if not rest:
                raise RunscError(f"{name} needs {option.value}; see {program} --help")
            value = rest.pop(0)
    if option.choices and value not in option.choices:
        raise RunscError(f"{name} {value!r}: use {' or '.join(option.choices)}")
    parsed.values.setdefault(option.key, []).append(value)


def _unknown(name: str, known: dict[str, Option], program: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [other for other in known if not known[other].hidden], 1, 0.7)
    hint = f"did you mean {near[0]}?" if near else f"see {program} --help"
    return f"unknown option {name}; {hint}"


def help_text(syntax: Syntax) -> str:
    """The whole help of a command."""
    from textwrap import fill

    parts = [f"usage: {syntax.usage}\n", f"{fill(syntax.description, WIDTH)}\n"]
    for title, options in syntax.groups:
        lines = [line for option in options if not option.hidden for line in _describe(option)]
        if lines:
            parts.append("\n".join(([f"{title}:"] if title else []) + lines) + "\n")
    if syntax.epilog:
        parts.append(syntax.epilog)
    return "\n".join(parts)


def _describe(option: Option) -> list[str]:
    from textwrap import wrap

    names = ", ".join(option.names)
    indent = "      " if option.names[0].startswith("--") else "  "
    head = indent + names
    if option.value:
        head += f"[={option.value}]" if option.optional else f" {option.value}"
    text = wrap(option.help, WIDTH - MARGIN) or [""]
    if len(head) > MARGIN - 2:
        return [head, *(" " * MARGIN + line for line in text)]
    return [head.ljust(MARGIN) + text[0], *(" " * MARGIN + line for line in text[1:])]
