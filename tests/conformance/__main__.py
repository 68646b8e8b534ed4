"""`python -m conformance`: runs CPython's own tests natively and inside, and compares them."""

import argparse
import json
import signal
import sys
from pathlib import Path

from conformance import report
from conformance.exceptions import BadException, exceptions
from conformance.suite import (
    MODULES,
    QUICK,
    Comparison,
    MissingTests,
    check_installed,
    compare,
    kept_comparisons,
)
from harness.processes import become_subreaper


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="test modules (default: all)")
    parser.add_argument("--quick", action="store_true", help="only what `make test` runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result to FILE")
    parser.add_argument(
        "--report", action="store_true", help="run nothing; write the page from the last results"
    )
    options = parser.parse_args()
    unknown = set(options.modules) - set(MODULES)
    if unknown:
        parser.error(f"not among the modules compared: {' '.join(sorted(unknown))}")
    return options


def run_all(modules: list[str]) -> list[Comparison]:
    """Compare one module after the other, and say how each went."""
    done: list[Comparison] = []
    for number, module in enumerate(modules, 1):
        print(f"[{number}/{len(modules)}] {module}", end=" ", flush=True)
        comparison = compare(module)
        print(comparison.line.partition(" ")[2], flush=True)
        for test, how in comparison.unexplained.items():
            print(f"    {test}: {how} inside", flush=True)
        done.append(comparison)
    return done


def main() -> int:
    """Run, print, write the page; 1 when a difference is unexplained."""
    options = arguments()
    become_subreaper()
    # A background job of a shell ignores SIGINT, and so would the tests that raise it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        check_installed()
        exceptions()
    except (MissingTests, BadException) as reason:
        print(reason, file=sys.stderr)
        return 2
    chosen = options.modules or list(QUICK if options.quick else MODULES)
    done = kept_comparisons() if options.report else run_all(chosen)
    if not options.quick:
        report.write(kept_comparisons())
    if options.json:
        options.json.write_text(json.dumps([one.as_json() for one in done], indent=1))
    return int(any(one.unexplained for one in done))


if __name__ == "__main__":
    sys.exit(main())
