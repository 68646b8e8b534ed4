"""`python -m benchmarks`: asks every question of every competitor and prints one table."""

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
from pathlib import Path

from benchmarks import programs
from benchmarks.measure import Failed, Question, operations
from benchmarks.peers import Peer, competitors
from harness.processes import become_subreaper

Row = dict[str, float | None]


def questions() -> list[Question]:
    """All of them: single operations, then whole programs."""
    found = operations()
    for module in pkgutil.iter_modules(programs.__path__):
        found += importlib.import_module(f"benchmarks.programs.{module.name}").QUESTIONS
    return found


def ask_all(
    question: Question, peers: list[Peer], rounds: int, notes: dict[str, list[str]]
) -> tuple[Row, dict[str, list[float]]]:
    """Interleaved runs of one question; the medians, and all that was measured."""
    samples: dict[str, list[float]] = {peer.name: [] for peer in peers}
    failed: set[str] = set()
    for _ in range(rounds):
        for peer in peers:
            if peer.name in failed:
                continue
            try:
                with tempfile.TemporaryDirectory() as workplace:
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


def print_header(peers: list[Peer]) -> None:
    """The first two lines of the table, in Markdown."""
    names = [peer.name for peer in peers]
    print(f"| {'':42} | unit | " + " | ".join(f"{name:>13}" for name in names) + " |")
    print(f"| {'-' * 42} | ---- | " + " | ".join("-" * 12 + ":" for _ in names) + " |")


def print_row(question: Question, row: Row) -> None:
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


def main() -> int:
    """Ask, print, and write JSON if wanted."""
    options = arguments()
    become_subreaper()
    peers = competitors()
    if options.peers:
        wanted = options.peers.split(",")
        peers = [peer for peer in peers if peer.name in wanted]
    chosen = [
        question
        for question in questions()
        if any(text in question.title for text in options.only.split(","))
    ]
    notes: dict[str, list[str]] = {}
    results = []
    print(f"{machine()}; medians\n")
    print_header(peers)
    for question in chosen:
        row, samples = ask_all(question, peers, options.rounds or question.rounds, notes)
        print_row(question, row)
        results.append({"question": question.title, "unit": question.unit, "samples": samples})
    for note, titles in notes.items():
        print(f"\n{note}\n  ({', '.join(titles)})")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "results": results}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
