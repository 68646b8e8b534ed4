"""What keeping a guest on the tracer's CPU is worth: two workloads under each policy.

`together` pins guests to the tracer's CPU, `spread` leaves them to the host's
scheduler, `auto` decides by what they do.  Only runsc-py has the option; native
shows what the machine can do.
"""

from pathlib import Path

from benchmarks.measure import GUESTS, Failed, Question, finish
from benchmarks.peers import Peer
from harness.compiler import compile_c

POLICIES = ("together", "spread", "auto")
COMPUTE = GUESTS / "placement" / "compute.c"


class Placement(Question[Peer]):
    """One workload under one policy."""

    rounds = 3

    def __init__(self, policy: str, *, compute: bool) -> None:
        self.policy = policy
        self.compute = compute
        what = "two threads computing" if compute else "getpid"
        self.title = f"{what}, placement {policy}"
        self.unit = "ms" if compute else "µs"

    def ask(self, peer: Peer, workplace: Path) -> float:
        """One measurement; only native and runsc-py answer."""
        if peer.name not in ("native", "runsc-py"):
            raise Failed("")
        source = COMPUTE if self.compute else GUESTS / "01_getpid.c"
        program = str(compile_c(source, ["-O2", "-static", "-pthread"]))
        options = ("--placement", self.policy) if peer.name == "runsc-py" else ()
        nanoseconds = float(finish(peer.command([program], options), workplace).stdout)
        return nanoseconds / (1e6 if self.compute else 1e3)


QUESTIONS: list[Question[Peer]] = [
    Placement(policy, compute=compute) for compute in (False, True) for policy in POLICIES
]
