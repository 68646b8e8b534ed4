"""A C compiler at work: several processes, many small files."""

from pathlib import Path

from benchmarks.measure import Duration
from benchmarks.peers import Peer

SOURCE = '#include <stdio.h>\nint main(void) { puts("hello"); }\n'


class CompileHello(Duration):
    """gcc on a program of two lines."""

    rounds = 3

    def __init__(self) -> None:
        super().__init__("gcc hello.c", ["gcc", "-o", "hello", "hello.c"])

    def ask(self, peer: Peer, workplace: Path) -> float:
        """Compile once, in milliseconds."""
        (workplace / "hello.c").write_text(SOURCE)
        return super().ask(peer, workplace)


QUESTIONS = [CompileHello()]
