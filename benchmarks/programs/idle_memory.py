"""How much memory an idle sandbox takes: the PSS of all its processes, its guest included."""

import subprocess
import time
from pathlib import Path

from benchmarks.measure import Failed, Question
from benchmarks.peers import Peer
from harness.differential import environment
from harness.processes import descendants, settle

IDLE = ["/bin/sh", "-c", "echo ready; read line"]


def proportional_memory(pids: list[int]) -> int:
    """The sum of the proportional set sizes of these processes, in kB; 0 for those that ended."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


class IdleMemory(Question[Peer]):
    """A shell that waits for a line."""

    title = "memory of an idle sandbox"
    unit = "MB"
    rounds = 3

    def ask(self, peer: Peer, workplace: Path) -> float:
        """Start it, wait until it is idle, add up, let it end."""
        known = set(descendants())
        process = subprocess.Popen(
            peer.command(IDLE),
            cwd=workplace,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            if process.stdout.readline() != b"ready\n":
                raise Failed("the guest did not start")
            time.sleep(0.3)  # idle, not starting
            return proportional_memory([pid for pid in descendants() if pid not in known]) / 1024
        finally:
            process.stdin.close()
            process.stdout.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            settle(known, 3.0, kill=True)


QUESTIONS = [IdleMemory()]
