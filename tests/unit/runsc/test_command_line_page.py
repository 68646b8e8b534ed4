"""docs/commands.md and docs/command-line.md are about the commands that there are."""

import re
from pathlib import Path

import pytest

from runsc_py.runsc.cli import ABSENT, COMMANDS, CONTAINER_COMMANDS
from runsc_py.runsc.commands_page import page

DOCS = Path(__file__).parents[3] / "docs"
PROSE = (DOCS / "command-line.md").read_text()
ALL = [name for name, _, _ in COMMANDS + CONTAINER_COMMANDS]


def test_the_reference_is_that_of_today() -> None:
    """`make docs` makes it."""
    assert page() == (DOCS / "commands.md").read_text()


@pytest.mark.parametrize("command", ALL)
def test_every_command_is_told(command: str) -> None:
    """A line that shows how it is used."""
    assert re.search(rf"^runsc-py (\[options\] )?([a-z-]+ ID / )?{command}\b", PROSE, re.M)


def test_every_line_is_of_a_command() -> None:
    """None that was taken away is left."""
    told = re.findall(r"^runsc-py (?:\[options\] )?([a-z][a-z-]*)", PROSE, re.M)
    assert set(told) <= {*ALL}


def test_absent_commands_are_absent() -> None:
    """What is said not to be here is not."""
    assert not ABSENT.keys() & {*ALL}
