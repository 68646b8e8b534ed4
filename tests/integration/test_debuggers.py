"""Programs that trace others with ptrace(2): strace and gdb, run natively and inside."""

from pathlib import Path

import pytest

from harness.differential import Compare, Find

SOURCE = """
#include <stdio.h>
int factorial(int n) { return n < 2 ? 1 : n * factorial(n - 1); }
int main(void) {
    printf("%d\\n", factorial(5));
    return 0;
}
"""
GDB_COMMANDS = (
    "break factorial if n == 3",
    "run",
    "backtrace",
    "print n * 100",
    "watch -location n",
    "delete",
    "stepi",
    "finish",
    "set variable $rax = 7",
    "continue",
)


def test_strace(program: Find, compare: Compare) -> None:
    """Calls of a shell and its children, by their names and results."""
    strace = program("strace", "strace")
    traced = "echo one; /bin/true; (exit 3); kill -USR1 $$; :"
    calls = "trace=execve,exit_group,dup2,pipe2,chdir,kill"
    numbers = "s/^[0-9]+ +//; s/kill[(][0-9]+/kill(N/; s/_pid=[0-9]+/_pid=N/"
    layout = "s/0x.*vars/vars/; s/ += / = /"
    script = (
        f"{strace} -f -qq -e {calls} -o calls /bin/sh -c '{traced}'; echo status $?;"
        f" sed -E '{numbers}; {layout}' calls | sort"
    )
    compare(["/bin/sh", "-c", script], timeout=60)


def write_source(directory: Path) -> None:
    (directory / "factorial.c").write_text(SOURCE)


@pytest.mark.slow
def test_gdb(program: Find, compare: Compare) -> None:
    """A breakpoint with a condition, a backtrace, a step, a changed register, the end."""
    gdb = program("gdb", "gdb")
    program("gcc", "gcc")
    commands = " ".join(f"-ex '{command}'" for command in GDB_COMMANDS)
    script = (
        "gcc -g -O0 -o factorial factorial.c &&"
        f" {gdb} -nx -batch {commands} ./factorial 2>/dev/null"
        " | grep -v -e libthread_db -e 'process [0-9]' -e watchpoint"
    )
    compare(["/bin/sh", "-c", script], prepare=write_source, timeout=100)
