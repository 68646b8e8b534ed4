"""`python -m benchmarks`: asks every question of every competitor and prints two tables.

The first is about programs, beside native Linux and other sandboxes; the second about containers,
beside other OCI runtimes.
"""

import argparse
import datetime
import importlib
import json
import os
import pkgutil
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import programs
from benchmarks.containers import lives
from benchmarks.containers.runtimes import runtimes
from benchmarks.measure import Competitor, Failed, Named, Question, operations
from benchmarks.peers import Peer, competitors
from harness.processes import become_subreaper

Row = dict[str, float | None]


def questions() -> list[Question[Peer]]:
    """All of them: single operations, then whole programs."""
    found = operations()
    for module in pkgutil.iter_modules(programs.__path__):
        found += importlib.import_module(f"benchmarks.programs.{module.name}").QUESTIONS
    return found


def ask_all(
    question: Question[Competitor],
    peers: list[Competitor],
    rounds: int,
    notes: dict[str, list[str]],
) -> tuple[Row, dict[str, list[float]]]:
    """Interleaved runs of one question; the medians, and all that was measured."""
    samples: dict[str, list[float]] = {peer.name: [] for peer in peers}
    failed: set[str] = set()
    for _ in range(rounds):
        for peer in peers:
            if peer.name in failed:
                continue
            try:
                with tempfile.TemporaryDirectory(prefix="bench-") as workplace:
                    samples[peer.name].append(question.ask(peer, Path(workplace)))
            except Failed as reason:
                failed.add(peer.name)
                samples[peer.name] = []
                if str(reason):
                    notes.setdefault(f"{peer.name}: {reason}", []).append(question.title)
    row: Row = {
        name: statistics.median(values) if values else None for name, values in samples.items()
    }
    return row, samples


def show(value: float | None) -> str:
    """A number with three significant digits."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def machine() -> str:
    """What was measured on, for the line above the table."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    today = datetime.date.today().isoformat()
    cpus = len(os.sched_getaffinity(0))
    return (
        f"{today}, {cpus} CPUs of {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def print_header(peers: Sequence[Named]) -> None:
    """The first two lines of the table, in Markdown."""
    names = [peer.name for peer in peers]
    print(f"| {'':42} | unit | " + " | ".join(f"{name:>13}" for name in names) + " |")
    print(f"| {'-' * 42} | ---- | " + " | ".join("-" * 12 + ":" for _ in names) + " |")


def print_row(question: Question[Competitor], row: Row) -> None:
    """One line of the table."""
    cells = " | ".join(f"{show(value):>13}" for value in row.values())
    print(f"| {question.title:42} | {question.unit:4} | {cells} |", flush=True)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to FILE")
    parser.add_argument("--rounds", type=int, help="runs of each question (default: its own)")
    parser.add_argument(
        "--only", metavar="TEXTS", default="", help="questions with one of TEXTS, by commas"
    )
    parser.add_argument("--peers", metavar="NAMES", help="columns, separated by commas")
    return parser.parse_args()


class Report:
    """What was measured so far: tables on standard output, and everything for --json."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._notes: dict[str, list[str]] = {}
        self.results: list[dict[str, object]] = []

    def table(
        self, questions: Sequence[Question[Competitor]], competitors: list[Competitor]
    ) -> None:
        """Ask those questions that are wanted of those competitors that are."""
        options = self._options
        wanted = options.peers.split(",") if options.peers else [one.name for one in competitors]
        peers = [one for one in competitors if one.name in wanted]
        texts = options.only.split(",")
        chosen = [one for one in questions if any(text in one.title for text in texts)]
        if not chosen or not peers:
            return
        print_header(peers)
        for question in chosen:
            rounds = options.rounds or question.rounds
            row, samples = ask_all(question, peers, rounds, self._notes)
            print_row(question, row)
            self.results.append(
                {"question": question.title, "unit": question.unit, "samples": samples}
            )
        print()

    def print_notes(self) -> None:
        """Why there are gaps."""
        for note, titles in self._notes.items():
            print(f"{note}\n  ({', '.join(titles)})")


def main() -> int:
    """Ask, print, and write JSON if wanted."""
    options = arguments()
    become_subreaper()
    report = Report(options)
    print(f"{machine()}; medians\n")
    report.table(questions(), competitors())
    with tempfile.TemporaryDirectory(prefix="bench-state-") as state:
        report.table(lives.QUESTIONS, runtimes(Path(state)))
    report.print_notes()
    if options.json:
        written = {"machine": machine(), "results": report.results}
        options.json.write_text(json.dumps(written, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
