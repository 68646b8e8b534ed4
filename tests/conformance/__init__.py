"""CPython's own tests, run natively and in the sandbox, compared test by test.

`python -m conformance` (with `tests` on the path; `make conformance`) runs them. Modules::

    suite       which modules, how one is run, what two runs are compared to
    verbose     unittest's verbose output to test id → result
    exceptions  exceptions.toml: what may differ, with the reason
    report      docs/conformance.md

The tests are those of the system's Python; Debian has them in `libpython3.11-testsuite`.
"""
