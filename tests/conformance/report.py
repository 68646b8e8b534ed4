"""docs/conformance.md: the table of every module's last run, and every difference by name."""

import platform
from collections.abc import Sequence

from conformance.exceptions import exceptions
from conformance.suite import Comparison, check_installed
from harness.compiler import REPOSITORY

FILE = REPOSITORY / "docs" / "conformance.md"

_INTRODUCTION = """\
# CPython's own tests, natively and inside

`make conformance` writes this page. It runs modules of CPython's test suite (Debian's
`libpython3.11-testsuite`) with the same interpreter on the host and in the sandbox, and compares
them test by test. A test that passes natively must pass inside; `tests/conformance/exceptions.toml`
may list one that need not, with a reason. A difference is tried once more, alone, before it counts.

"Natively" and "inside" count the tests that pass natively, and how many of those pass inside; tests
that fail or are skipped natively say nothing about the sandbox. Tests that set the machine's clock
are left out. The times are of one run each.
"""

_BY_HAND = "<!-- Written by hand from here on; `make conformance` keeps it. -->"


def _row(comparison: Comparison) -> str:
    differences = "–"
    if comparison.differences:
        differences = str(len(comparison.differences))
    if comparison.second_try:
        differences += f" ({len(comparison.second_try)} passed at the second try)"
    cells = (
        comparison.module,
        str(len(comparison.native_passes)),
        str(len(comparison.inside_passes)),
        differences,
        *(f"{seconds:.0f}" for seconds in comparison.seconds),
        comparison.date,
    )
    return f"| {' | '.join(cells)} |"


def _names(comparisons: Sequence[Comparison]) -> list[str]:
    """Every difference by its id, with the reason if there is one."""
    lines: list[str] = []
    for comparison in comparisons:
        if comparison.timed_out:
            lines.append(f"* {comparison.module}: ended at the time limit")
        for test, how in comparison.differences.items():
            reason = exceptions().get(test, "**unexplained**")
            lines.append(f"* `{test}`: {how} inside. {reason}")
        for test in comparison.second_try:
            lines.append(f"* `{test}`: passed inside at the second try.")
    return lines or ["None."]


def text(comparisons: Sequence[Comparison]) -> str:
    """The page."""
    native = sum(len(comparison.native_passes) for comparison in comparisons)
    inside = sum(len(comparison.inside_passes) for comparison in comparisons)
    lines = [
        _INTRODUCTION,
        f"CPython {check_installed()}, Linux {platform.release()}: {native} tests pass natively, "
        f"{inside} of them inside.",
        "",
        "| module | natively | inside | differences | s natively | s inside | date |",
        "| --- | ---: | ---: | --- | ---: | ---: | --- |",
        *map(_row, comparisons),
        "",
        "## Differences",
        "",
        *_names(comparisons),
    ]
    return "\n".join(lines) + "\n"


def write(comparisons: Sequence[Comparison]) -> None:
    """Write the page anew, but for what is said of suites that need building first."""
    by_hand = FILE.read_text().partition(_BY_HAND)[2] if FILE.exists() else "\n"
    FILE.write_text(f"{text(comparisons)}\n{_BY_HAND}{by_hand}")
