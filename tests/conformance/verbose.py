"""Reads what `python -m test -v` prints: each test's id and how it ended.

A line starts with `method (test.module.Class.method)`; the result follows ` ... `, on the same line
or, when the test has a docstring or prints something itself, on a later one. A failed subtest makes
its test fail. A test that never says how it ended (the interpreter died, the time was up) has
`NO_RESULT`.
"""

import re

OK = "ok"
NO_RESULT = "no result"

_HEADING = re.compile(r"(\w+) \(((?:[\w<>]+\.)+\1)\)")
_FIXTURE = re.compile(r"^(?:setUp|tearDown)(?:Class|Module) \(([\w.]+)\)")
_SUMMARY = re.compile(r"^(FAIL|ERROR): ")
_RESULT = re.compile(
    r"(?:^|\s)(ok|FAIL|ERROR|skipped (?:'.*'|\".*\")|expected failure|unexpected success)$"
)
_BAD = ("FAIL", "ERROR")


def results(output: str) -> dict[str, str]:
    """Test id → `ok`, `FAIL`, `ERROR`, `skipped`, `expected failure`…, in the order of the run."""
    found: dict[str, str] = {}
    current: str | None = None
    for line in output.splitlines():
        headings = [match.group(2) for match in _HEADING.finditer(line)]
        headings += _FIXTURE.findall(line)
        if headings:
            found.update({test: NO_RESULT for test in headings if test not in found})
            current = headings[-1]
            summary = _SUMMARY.search(line)
            if summary is not None:
                found[current] = summary.group(1)
                current = None  # its traceback follows, not its result
                continue
        result = _RESULT.search(line)
        # A skipped subtest, indented, leaves the test's own result to come.
        if current is None or result is None or (line.startswith("  ") and "skipped" in line):
            continue
        if found[current] not in _BAD:
            found[current] = result.group(1).split(" '")[0].split(' "')[0]
        if not line.startswith("  "):
            current = None
    return found
