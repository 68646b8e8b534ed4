"""docs/commands.md: every command with its options, made from what the command line itself uses.

python -m runsc_py.runsc.commands_page
"""

from runsc_py.runsc.arguments import HELP, Option, Syntax
from runsc_py.runsc.cli import ABSENT, COMMANDS, CONTAINER_COMMANDS, syntax_of
from runsc_py.runsc.commands.run_bundle import SYNTAX as RUN_BUNDLE

_INTRODUCTION = """\
# Commands

<!-- Made by `make docs` from the commands themselves; a test fails when this page is stale. -->

Every command with all of its options, as `runsc-py COMMAND --help` prints them. What they are for
is in [command-line.md](command-line.md); the options before the command are in
[options.md](options.md).
"""

_ABSENT = """\
## What gVisor has besides

| command | why it is not here, and what to use |
| --- | --- |
"""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _row(option: Option) -> str:
    value = f"[={option.value}]" if option.optional else f" {option.value}" if option.value else ""
    names = ", ".join(f"`{name}{value if name.startswith('--') else ''}`" for name in option.names)
    return f"| {_cell(names)} | {_cell(option.help)}{' (repeatable)' * option.repeats} |\n"


def _section(names: list[str], syntax: Syntax) -> str:
    parts = [f"## {', '.join(names)}\n", f"```\n{syntax.usage}\n```\n", f"{syntax.description}\n"]
    options = [one for one in syntax.options() if not one.hidden and one is not HELP]
    if options:
        parts.append("| option | |\n| --- | --- |\n" + "".join(map(_row, options)))
    if syntax.epilog:
        parts.append(f"```\n{syntax.epilog.rstrip()}\n```\n")
    return "\n".join(parts)


def page() -> str:
    """All of it."""
    # Commands of one module have one description.
    modules: dict[str, list[str]] = {}
    for name, module, _ in COMMANDS + CONTAINER_COMMANDS:
        modules.setdefault(module, []).append(name)
    sections = [_section(names, syntax_of(names[0])) for names in modules.values()]
    sections.insert(1, _section(["run --bundle"], RUN_BUNDLE))
    absent = "".join(f"| `{name}` | {_cell(text)} |\n" for name, text in ABSENT.items())
    return "\n".join((_INTRODUCTION, *sections, _ABSENT + absent))


if __name__ == "__main__":
    print(page(), end="")
