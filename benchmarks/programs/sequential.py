"""Sequential reading and writing, in small and in large pieces, on each kind of file system.

tmpfs is /dev/shm; overlay is what the sandbox shows of the host, reading being from the
host's file and writing to memory; volume is a directory of the host that may be written.
Native and proot have the host's file system for the last two.
"""

from pathlib import Path

from benchmarks.measure import GUESTS, Question, finish
from benchmarks.peers import Peer
from harness.compiler import compile_c

SEQUENTIAL = GUESTS / "files" / "sequential.c"
SPAN = 16 << 20
"""Bytes of the file, as in the guest."""

PIECES = {"4 KiB": 4 << 10, "1 MiB": 1 << 20}
FILE_SYSTEMS = ("tmpfs", "overlay", "volume")


class Sequential(Question[Peer]):
    """A mebibyte of a file read or written in pieces of one size on one file system."""

    unit = "µs"
    rounds = 3

    def __init__(self, action: str, piece: str, file_system: str) -> None:
        self.title = f"{action} 1 MiB by {piece}, {file_system}"
        self.action = action
        self.size = PIECES[piece]
        self.file_system = file_system

    def ask(self, peer: Peer, workplace: Path) -> float:
        """Microseconds for a mebibyte."""
        program = compile_c(SEQUENTIAL, ["-O2", "-static"])
        command = [str(program), self.action, str(self.size)]
        options = peer.volume(workplace) if self.file_system == "volume" else ()
        if self.file_system == "tmpfs":
            script = 'f=/dev/shm/bench-$$; trap "rm -f $f" EXIT; "$0" write 1048576 $f >&2; "$@" $f'
            command = ["sh", "-c", script, str(program), *command]
        else:
            file = workplace / "file"
            file.write_bytes(b"x" * SPAN)
            command.append(str(file))
        return float(finish(peer.command(command, options), workplace).stdout) / 1000


QUESTIONS = [
    Sequential(action, piece, file_system)
    for action in ("read", "write")
    for piece in PIECES
    for file_system in FILE_SYSTEMS
]
