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
