"""`runsc-py cpu-features`: what programs in a sandbox are told of the processor."""

import sys

from runsc_py.runsc.arguments import Option, Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError

SYNTAX = Syntax(
    "runsc-py cpu-features [--json]",
    "List the features of this machine's processor: programs use it directly, so what it has is "
    "what an image may need.",
    (("options", (Option("--json", help="with the processor's name, as JSON"),)),),
    operands=(),
    epilog="""\
example: what an image built elsewhere would miss here
  comm -13 <(runsc-py cpu-features | sort) <(ssh builder runsc-py cpu-features | sort)
""",
)
PATH = "/proc/cpuinfo"


def main(name: str, arguments: list[str]) -> int:
    """Print them."""
    parsed = parse(SYNTAX, arguments, "runsc-py cpu-features")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if parsed.operands:
        raise RunscError("cpu-features takes no arguments")
    information = _first_processor()
    features = sorted(information.get("flags", "").split())
    if parsed.has("json"):
        import json

        document = {
            "version": 1,
            "vendor": information.get("vendor_id", ""),
            "model": information.get("model name", ""),
            "features": features,
        }
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        sys.stdout.write("".join(f"{feature}\n" for feature in features))
    return 0


def _first_processor() -> dict[str, str]:
    """All are alike; sandboxes show the host's file."""
    try:
        with open(PATH, encoding="ascii", errors="replace") as file:
            text = file.read().partition("\n\n")[0]
    except OSError as error:
        raise RunscError(f"{PATH}: {error.strerror}") from None
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
