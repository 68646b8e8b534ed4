"""gcc and make, perl, git, sqlite3."""

import shutil
from pathlib import Path

import pytest

from harness.differential import Compare, Find

PROGRAMS = Path(__file__).parent / "programs"


def make_project(directory: Path) -> None:
    """A library, a program and a Makefile."""
    shutil.copytree(PROGRAMS / "project", directory, dirs_exist_ok=True)


@pytest.mark.slow
def test_make_and_gcc(program: Find, compare: Compare) -> None:
    """A project is built, run, built again (nothing is to be done), and left behind."""
    program("gcc", "gcc")
    make = program("make", "make")
    script = f"{make} -s -j2 check && {make} && nm library.a | grep ' T '"
    compare(["/bin/sh", "-c", script], prepare=make_project, files=True, timeout=120)


def make_large_project(directory: Path) -> None:
    """Twenty-four modules that share a header which is generated, and a program of them all."""
    modules = [f"module{n}" for n in range(24)]
    for n, module in enumerate(modules):
        source = f'#include "all.h"\nint {module}(void) {{ return {n} * SCALE; }}\n'
        (directory / f"{module}.c").write_text(source)
    total = " + ".join(f"{module}()" for module in modules)
    main = f'#include <stdio.h>\n#include "all.h"\nint main(void) {{ printf("%d\\n", {total}); }}\n'
    (directory / "main.c").write_text(main)
    (directory / "scale").write_text("3\n")
    declarations = "".join(f"int {module}(void);" for module in modules)
    objects = " ".join(f"{module}.o" for module in (*modules, "main"))
    (directory / "Makefile").write_text(
        f"program: {objects}\n\t$(CC) -o $@ $^\n"
        "%.o: %.c all.h\n\t$(CC) -O1 -c -o $@ $<\n"
        f"all.h: scale\n\t(echo '#define SCALE '`cat scale`; echo '{declarations}') > $@\n"
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_parallel_make(program: Find, compare: Compare) -> None:
    """make -j4 runs four compilers at a time, and finds out by times what to build again."""
    program("gcc", "gcc")
    make = program("make", "make")
    script = f"""
        {make} -s -j4 CC=gcc; ./program; {make} CC=gcc
        touch -d tomorrow module7.c; {make} -n CC=gcc | wc -l
        rm program module8.o; {make} -s -j4 CC=gcc; ./program
        echo 5 > scale; touch -d '2 days' scale; {make} -s -j4 CC=gcc; ./program
    """
    compare(["/bin/sh", "-ec", script], prepare=make_large_project, files=True, timeout=140)


def test_compiler_errors(program: Find, compare: Compare) -> None:
    """A compiler that fails says the same and exits the same."""
    command = [program("gcc", "gcc"), "-x", "c", "-c", "-o", "x.o", "-"]
    compare(command, stdin=b"int main(void) { return missing; }\n", status=1)


def test_perl(program: Find, compare: Compare) -> None:
    """Files, processes, signals, sockets."""
    compare([program("perl", "perl"), PROGRAMS / "perl.pl"], status=4)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("script", ["git", "git-large"])
def test_git(script: str, program: Find, compare: Compare) -> None:
    """init, commit, merge, rebase, clone, worktree, gc; object names included."""
    program("git", "git")
    person = {"NAME": "A Person", "EMAIL": "person@example.org", "DATE": "2001-02-03T04:05:06Z"}
    env = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    for what, value in person.items():
        env[f"GIT_AUTHOR_{what}"] = env[f"GIT_COMMITTER_{what}"] = value
    compare(["/bin/sh", str(PROGRAMS / f"{script}.sh")], env=env, timeout=180)


def test_sqlite3(program: Find, compare: Compare) -> None:
    """A database in a file, with a write-ahead log."""
    sql = (PROGRAMS / "tables.sql").read_bytes()
    compare([program("sqlite3", "sqlite3"), "test.db"], stdin=sql)
