"""`runsc-py doctor`: what this host allows, one line each, and what to do about the rest."""

import sys

from runsc_py.runsc.arguments import Option, Syntax, help_text, parse
from runsc_py.runsc.errors import EXIT_FAILURE, RunscError

SYNTAX = Syntax(
    "runsc-py doctor [options]",
    "Tell what this host allows. What is needed and missing comes with a remedy.",
    (("options", (Option("--json", help="one JSON document"),)),),
    operands=(),
    epilog="""\
exit status: 0 when programs can be run, 125 when something needed is missing

example:
  runsc-py doctor --json
""",
)


def main(name: str, arguments: list[str]) -> int:
    """Print what was found."""
    parsed = parse(SYNTAX, arguments, "runsc-py doctor")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if parsed.operands:
        raise RunscError("doctor takes no arguments")
    from runsc_py.runsc.host_checks import check_host

    findings = check_host()
    works = all(finding.works or not finding.needed for finding in findings)
    if parsed.has("json"):
        import json

        checks = [finding.as_dict() for finding in findings]
        sys.stdout.write(json.dumps({"version": 1, "works": works, "checks": checks}, indent=1))
        sys.stdout.write("\n")
    else:
        for finding in findings:
            sys.stdout.write(finding.line() + "\n")
        sys.stdout.write(
            "\nPrograms can be run here.\n" if works else "\nNothing can be run here.\n"
        )
    return 0 if works else EXIT_FAILURE
