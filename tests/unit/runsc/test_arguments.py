"""Command lines: what is an option, what is the command, and what the messages say."""

import pytest

from runsc_py.runsc.arguments import Option, Parsed, Syntax, help_text, parse
from runsc_py.runsc.cli import COMMANDS, CONTAINER_COMMANDS, syntax_of
from runsc_py.runsc.errors import RunscError

SYNTAX = Syntax(
    "prog [options] COMMAND",
    "Does things.",
    (
        (
            "some",
            (
                Option("-v --volume", "SRC:DST", "a volume", repeats=True),
                Option("--wall --timeout", "TIME", "how long"),
                Option("-t --tty", help="a terminal"),
                Option("-i --interactive", help="input"),
                Option("--strace", "FILE", "trace", optional=True),
                Option("--network", "none|host", choices=("none", "host"), help="network"),
                Option("--secret", "X", hidden=True),
            ),
        ),
    ),
)


def parsed(*words: str) -> Parsed:
    """What those words mean."""
    return parse(SYNTAX, words, "prog")


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["ls", "-l", "--tty"], ["ls", "-l", "--tty"]),
        (["--", "ls", "--", "-x"], ["ls", "--", "-x"]),
        (["-t", "--", "--odd"], ["--odd"]),
        (["--wall", "1", "ls"], ["ls"]),
        (["--strace", "ls", "-l"], ["ls", "-l"]),
        (["--strace=x", "ls"], ["ls"]),
        (["-"], ["-"]),
        (["-it", "sh"], ["sh"]),
        ([], []),
    ],
)
def test_where_the_command_begins(words: list[str], command: list[str]) -> None:
    """At `--` or at the first word that is no option and no option's value."""
    assert parsed(*words).operands == command


@pytest.mark.parametrize(
    "words",
    [["-v", "a:b"], ["-va:b"], ["-v=a:b"], ["--volume", "a:b"], ["--volume=a:b"], ["-tv", "a:b"]],
)
def test_ways_to_give_a_value(words: list[str]) -> None:
    """All those of getopt_long(3)."""
    assert parsed(*words).all("volume") == ["a:b"]


def test_repeated_options() -> None:
    """Lists keep all in order; of the others the last counts, whichever name it had."""
    result = parsed("-v", "a:b", "--wall", "1", "-v", "c:d", "--timeout=2")
    assert result.all("volume") == ["a:b", "c:d"]
    assert result.last("wall") == "2"


def test_values_that_look_like_options() -> None:
    """A value that is needed is taken as it comes; an empty one is one."""
    assert parsed("--wall", "--tty").last("wall") == "--tty"
    assert parsed("--wall=", "x").last("wall") == ""
    assert parsed("--strace").last("strace") == ""
    assert parsed().last("strace") is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--volum", "x"], "unknown option --volum; did you mean --volume?"),
        (["-x"], "unknown option -x; "),
        (["--zzzzz"], "unknown option --zzzzz; see prog --help"),
        (["--wall"], "--wall needs TIME; see prog --help"),
        (["-v"], "-v needs SRC:DST; see prog --help"),
        (["--tty=yes"], "--tty takes no value"),
        (["--network", "moon"], "--network 'moon': use none or host"),
    ],
)
def test_messages(words: list[str], message: str) -> None:
    """One line, that says what to do."""
    with pytest.raises(RunscError) as caught:
        parsed(*words)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value) and caught.value.status == 125


def test_help() -> None:
    """Every option but hidden ones, in 80 columns."""
    text = help_text(SYNTAX)
    assert text.startswith("usage: prog [options] COMMAND\n\nDoes things.\n\nsome:\n")
    assert "  -v, --volume SRC:DST        a volume\n" in text
    assert "      --strace[=FILE]         trace\n" in text
    assert "--secret" not in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", [name for name, _, _ in COMMANDS + CONTAINER_COMMANDS])
def test_help_of_every_command(command: str) -> None:
    """How it is used, what it does, and an example that is a command line of it."""
    text = help_text(syntax_of(command))
    usage, _, rest = text.partition("\n\n")
    assert usage.startswith("usage: runsc-py") and rest
    _, _, examples = rest.partition("example")
    assert "\n  " in examples and "runsc-py" in examples
    assert all(len(line) <= 100 for line in text.splitlines() if "usage:" not in line)
