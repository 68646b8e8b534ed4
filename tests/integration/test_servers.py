"""Servers that people run: Redis, nginx, PostgreSQL, each with its clients on the loopback."""

import socket
from pathlib import Path

import pytest

from harness.differential import Compare, Find

PROGRAMS = Path(__file__).parent / "programs"


def free_port() -> str:
    """A TCP port that nobody had a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.slow
def test_redis(program: Find, compare: Compare) -> None:
    """One process, epoll, background threads."""
    program("redis-server", "redis-server")
    compare(["sh", PROGRAMS / "redis.sh", free_port()], stderr=False, timeout=90)


@pytest.mark.slow
def test_nginx(program: Find, compare: Compare) -> None:
    """A master and workers that share a listener, sendfile, signals."""
    program("nginx", "nginx-light")
    compare(["sh", PROGRAMS / "nginx.sh", free_port()], stderr=False, timeout=90)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_postgres(compare: Compare) -> None:
    """Many processes, shared memory, semaphores, a write-ahead log."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed; Debian's package is postgresql")
    compare(["sh", PROGRAMS / "postgres.sh", found[-1].parent], stderr=False, timeout=140)
