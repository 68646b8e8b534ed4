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
THREADS = """
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
volatile long total, rounds;
static void *add(void *step) {
    total += (long)step;
    return 0;
}
static void settle(void) { rounds++; }
int main(int count, char **arguments) {
    for (long step = 1; step < 4; step++) {
        pthread_t thread;
        pthread_create(&thread, 0, add, (void *)step);
        pthread_join(thread, 0);
    }
    settle();
    printf("%ld\\n", total);
    fflush(stdout);
    while (count > 1)
        pause();
    return 0;
}
"""
HARDWARE_COMMANDS = (
    "set can-use-hw-watchpoints 1",
    "break main",
    "run",
    "watch total",
    "continue",
    "continue",
    "info breakpoints",
    "delete",
    "hbreak settle",
    "continue",
    "print total",
    "continue",
)
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


def test_strace_filters(program: Find, compare: Compare) -> None:
    """strace with a seccomp filter of its own in the tracee; a call it makes fail."""
    strace = program("strace", "strace")
    script = (
        f"{strace} --seccomp-bpf -f -qq -e trace=chdir,exit_group sh -c 'cd /; (cd /tmp); exit 3'"
        " 2>&1 | sed -E 's/pid +[0-9]+/pid N/; s/si_pid=.*/more/; s/ += / = /';"
        f" {strace} -f -qq -e trace=chdir -e inject=chdir:error=EPERM sh -c 'cd /; echo $?' 2>&1"
    )
    compare(["/bin/sh", "-c", script], timeout=60)


def test_strace_attaches(program: Find, compare: Compare) -> None:
    """strace -p sees a call that was waiting already, and lets the process go on at the end."""
    strace = program("strace", "strace")
    script = (
        "mkfifo in; { while read line; do /bin/echo $line; done; exit 5; } < in & exec 3> in;"
        f" {strace} -q -f -p $! -e trace=read,exit_group -o calls & tracer=$!;"
        " while ! grep -q read calls 2>/dev/null; do sleep 0.05; done; echo once >&3;"
        " while ! grep -q exited calls; do sleep 0.05; done; kill $tracer; wait $tracer;"
        " echo again >&3; exec 3>&-; wait %1; echo status $?;"
        " grep -o -e 'read(0' -e 'exited with 0' calls | sort -u"
    )
    compare(["/bin/bash", "-c", script], timeout=60)


def write_source(directory: Path) -> None:
    (directory / "factorial.c").write_text(SOURCE)
    (directory / "threads.c").write_text(THREADS)


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


@pytest.mark.slow
def test_gdb_hardware(program: Find, compare: Compare) -> None:
    """Hardware watchpoints in threads, a hardware breakpoint."""
    gdb = program("gdb", "gdb")
    program("gcc", "gcc")
    commands = " ".join(f"-ex '{command}'" for command in HARDWARE_COMMANDS)
    script = (
        "gcc -g -O0 -pthread -o threads threads.c &&"
        f" {gdb} -nx -batch {commands} ./threads 2>/dev/null"
        " | grep -v -e libthread_db -e 'process [0-9]' -e 'Thread 0x' -e 0x"
    )
    compare(["/bin/sh", "-c", script], prepare=write_source, timeout=100)


@pytest.mark.slow
def test_gdb_attaches(program: Find, compare: Compare) -> None:
    """gdb attaches to a process that waits, looks at its threads, changes it and lets it go."""
    gdb = program("gdb", "gdb")
    program("gcc", "gcc")
    commands = ("print total", "set variable total = 40", "print total + 2", "info threads")
    script = (
        "gcc -g -O0 -pthread -o threads threads.c; ./threads stay > out & child=$!;"
        " while ! grep -q 6 out 2>/dev/null; do sleep 0.05; done;"
        f" {gdb} -nx -batch -p $child {' '.join(f'-ex {one!r}' for one in commands)} 2>/dev/null"
        " | grep -e '^[$]' -e '^[*]' | sed 's/0x[0-9a-f]*/N/g; s/LWP [0-9]*/LWP/; s/ in .*//';"
        " kill -TERM $child; wait $child; echo status $?"
    )
    compare(["/bin/bash", "-c", script], prepare=write_source, timeout=100)
