"""The part of CPython's own tests that continuous integration runs; `make conformance` runs all."""

import pytest

from conformance.exceptions import exceptions
from conformance.suite import QUICK, MissingTests, check_installed, compare
from conformance.verbose import NO_RESULT, results

PRINTED = """\
0:00:00 load avg: 1.00 [1/1] test_sample
test_one (test.test_sample.First.test_one) ... ok
test_two (test.test_sample.First.test_two)
What it is about. ... skipped 'no time'
test_three (test.test_sample.First.test_three) ... printed
by the test
ok
test_four (test.test_sample.First.test_four) ...
  test_four (test.test_sample.First.test_four) (i=1) ... FAIL
test_five (test.test_sample.First.test_five) ... test_six (test.test_sample.First.test_six) ... ok
======================================================================
FAIL: test_four (test.test_sample.First.test_four) (i=1)
----------------------------------------------------------------------
ok
"""


def test_verbose_output() -> None:
    """Results are found behind documentation strings, a test's own output, and subtests."""
    found = {test.rpartition(".")[2]: result for test, result in results(PRINTED).items()}
    assert found == {
        "test_one": "ok",
        "test_two": "skipped",
        "test_three": "ok",
        "test_four": "FAIL",
        "test_five": NO_RESULT,
        "test_six": "ok",
    }


def test_exceptions() -> None:
    """Every exception has a reason."""
    assert all(exceptions().values())


@pytest.mark.slow
@pytest.mark.parametrize("module", QUICK)
def test_module(module: str, native_only: bool) -> None:
    """What passes natively passes inside."""
    if native_only:
        pytest.skip("the sandbox is left out")
    try:
        check_installed()
    except MissingTests as missing:
        pytest.skip(str(missing))
    comparison = compare(module)
    assert comparison.native_passes and not comparison.timed_out, comparison.line
    assert not comparison.unexplained, comparison.unexplained
