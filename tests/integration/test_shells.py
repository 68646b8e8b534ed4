"""busybox, dash and bash: pipelines, here-documents, globs, jobs, traps, exit statuses."""

from pathlib import Path

import pytest

from harness.differential import Compare, Find

PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_portable_script(shell: str, program: Find, compare: Compare) -> None:
    """What every shell must do."""
    found = program(shell, "busybox-static" if shell == "busybox" else shell)
    command = [found, "sh"] if shell == "busybox" else [found]
    compare([*command, str(PROGRAMS / "portable.sh")], status=3, stderr=False)


def test_bash_script(program: Find, compare: Compare) -> None:
    """What only bash has."""
    compare([program("bash", "bash"), str(PROGRAMS / "bash.sh")], stderr=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["echo", "hello"],
        ["sh", "-c", "seq 5 | busybox wc -l"],
        ["find", "/etc/init.d", "-maxdepth", "1", "-name", "p*"],
        ["awk", "BEGIN { for (i = 0; i < 3; i++) print i * i }"],
        ["vi", "--help"],
        ["false"],
    ],
    ids=lambda arguments: str(arguments[0]),
)
def test_busybox_applet(arguments: list[str], program: Find, compare: Compare) -> None:
    """One static program under many names."""
    status = 1 if arguments == ["false"] else 0
    compare([program("busybox", "busybox-static"), *arguments], status=status)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("exit 42", 42),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
        ("kill -SEGV $$", 139),
        ("exec /nonexistent", 127),
        ("exec /etc/passwd", 126),
    ],
)
def test_status(command: str, status: int, compare: Compare) -> None:
    """The program's own exit status, or 128 + n for a signal."""
    compare(["/bin/sh", "-c", command], status=status, stderr=False)


def test_stdin_is_passed_through(compare: Compare) -> None:
    """A large standard input arrives whole."""
    data = bytes(range(256)) * 10_000
    native = compare(["/bin/sh", "-c", "sha256sum; echo done"], stdin=data)
    assert native.text.endswith("done\n")
