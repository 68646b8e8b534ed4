"""node, java, and binaries of Go and Rust: runtimes with their own ideas of a kernel."""

import os
import subprocess
from pathlib import Path

import pytest

from harness.differential import Compare, Find

PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.slow
def test_node(program: Find, compare: Compare) -> None:
    """libuv, V8's compiler, worker threads, an HTTP server."""
    compare([program("node", "nodejs"), PROGRAMS / "main.js"], status=5, timeout=90)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_java(program: Find, compare: Compare, tmp_path: Path) -> None:
    """A class: threads, processes, sockets, a null pointer found by SIGSEGV, garbage."""
    java, javac = program("java", "default-jdk-headless"), program("javac", "default-jdk-headless")
    subprocess.run([javac, "-d", tmp_path, PROGRAMS / "Main.java"], check=True)
    compare([java, "-Xmx128m", "-cp", tmp_path, "Main", "a"], status=3, timeout=120)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_go(program: Find, compare: Compare, tmp_path: Path) -> None:
    """A static binary: its own threads, signals for preemption, epoll."""
    go = program("go", "golang-go")
    settings = {"GO111MODULE": "off", "GOFLAGS": "", "CGO_ENABLED": "0", "GOTOOLCHAIN": "local"}
    binary = tmp_path / "binary"
    build = [go, "build", "-o", binary, PROGRAMS / "main.go"]
    subprocess.run(build, check=True, env={**os.environ, **settings})
    compare([binary, "argument"], status=6)


@pytest.mark.slow
def test_rust(program: Find, compare: Compare, tmp_path: Path) -> None:
    """A dynamically linked binary with threads and a panic."""
    rustc = program("rustc", "rustc")
    binary = tmp_path / "binary"
    build = [rustc, "--edition=2021", "-o", binary, PROGRAMS / "main.rs"]
    subprocess.run(build, check=True)
    compare([binary, "argument"], status=6, stderr=False)
