"""--strace on each kind of program: the output is unchanged, and the trace is strace(1)'s form."""

import re
from pathlib import Path

import pytest

from harness.differential import Compare, Find
from harness.programs import PYTHON

PROGRAMS = {
    "busybox": ("busybox-static", ["busybox", "echo", "hello"]),
    "dash": ("dash", ["dash", "-c", "echo a | cat; exit 3"]),
    "bash": ("bash", ["bash", "-c", "echo $(echo nested); (exit 2) & wait $!; true"]),
    "ls": ("coreutils", ["ls", "-la", "/etc/init.d"]),
    "find": ("findutils", ["find", "/etc/init.d"]),
    "sort": ("coreutils", ["sort", "/etc/passwd"]),
    "tar": ("tar", ["tar", "-cf", "/dev/null", "/etc/init.d"]),
    "python3": ("python3", [PYTHON, "-c", "import threading; print(threading.active_count())"]),
    "perl": ("perl", ["perl", "-e", "print 6 * 7"]),
    "git": ("git", ["git", "--version"]),
    "gcc": ("gcc", ["gcc", "--version"]),
    "node": ("nodejs", ["node", "-e", "console.log(1 + 1)"]),
    "java": ("default-jre-headless", ["java", "-version"]),
    "sqlite3": ("sqlite3", ["sqlite3", ":memory:", "select 1 + 1"]),
    "ps": ("procps", ["ps", "--version"]),
}
LINE = re.compile(
    r"^(\[\s*(pid\s+)?\d+\] |\d+ +)?"  # which task
    r"([a-z_0-9]+\(.*|<\.\.\. [a-z_0-9]+ resumed>.*|--- SIG.* ---|\+\+\+ .* \+\+\+)$"
)


@pytest.mark.parametrize("name", PROGRAMS)
def test_trace(
    name: str, program: Find, compare: Compare, native_only: bool, tmp_path: Path
) -> None:
    """Every line has the form of strace, and the first call of the program is in it."""
    package, command = PROGRAMS[name]
    program(name, package)
    trace = tmp_path / "trace"
    compare(
        command,
        options=(f"--strace={trace}",),
        status=3 if name == "dash" else 0,
        stderr=name != "java",  # the JVM warns of its own settings
        timeout=100,
    )
    if native_only:
        return
    lines = trace.read_text(errors="replace").splitlines()
    strange = [line for line in lines if not LINE.match(line)]
    assert not strange, strange[:5]
    text = "\n".join(lines)
    assert "execve(" in text
    assert "exit_group(" in text


def test_a_traced_program(program: Find, compare: Compare, tmp_path: Path) -> None:
    """Its calls have the results that it gets, with a tracer between it and the kernel."""
    program("strace", "strace")
    trace = tmp_path / "trace"
    words = ["strace", "-o", "/dev/null", "sh", "-c", "echo hello; exit 3"]
    compare(words, options=(f"--strace={trace}",), status=3)
    if trace.exists():
        lines = trace.read_text(errors="surrogateescape").splitlines()
        assert any(re.search(r'write\(1, "hello\\n", 6\) += 6 ', line) for line in lines)
