"""`runsc-py help [COMMAND | platforms | syscalls …]`."""

import sys

from runsc_py.runsc.arguments import Option, Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError

#: what there is help about beside commands
TOPICS = ("platforms", "syscalls")

#: name, whether a sandbox can use it, what it is
PLATFORMS = (
    (
        "ptrace",
        True,
        "System calls stop the program's threads by a seccomp filter and ptrace(2). Needs no "
        "rights and no device, and starts in an ordinary container. The default, and the only one.",
    ),
    (
        "systrap",
        False,
        "gVisor's: system calls become signals, answered through shared memory. Not here.",
    ),
    (
        "kvm",
        False,
        "gVisor's: programs in a virtual machine's user mode, through /dev/kvm. Not here.",
    ),
)

SYNTAX = Syntax(
    "runsc-py help [COMMAND | platforms | syscalls [OPTION…]]",
    "Print what a command takes, which platforms there are, or the list of system calls.",
    (("options", (Option("--json", help="of platforms: as JSON"),)),),
    operands=TOPICS,
    epilog="""\
examples:
  runsc-py help run
  runsc-py help platforms --json
  runsc-py help syscalls --format csv
""",
)


def _platforms(as_json: bool) -> str:
    if as_json:
        import json

        keys = ("name", "available", "description")
        document = [dict(zip(keys, platform, strict=True)) for platform in PLATFORMS]
        return json.dumps({"version": 1, "platforms": document}, indent=1) + "\n"
    from textwrap import fill

    parts = []
    for name, available, text in PLATFORMS:
        title = name if available else f"{name} (not available)"
        parts.append(f"{title}\n" + fill(text, 80, initial_indent="  ", subsequent_indent="  "))
    return "\n".join(parts) + "\n"


def main(name: str, arguments: list[str]) -> int:
    """Print it.  Raises RunscError for what there is no help about."""
    from runsc_py.runsc.cli import overview, syntax_of

    parsed = parse(SYNTAX, arguments, "runsc-py help")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if not parsed.operands:
        sys.stdout.write(overview())
        return 0
    topic, rest = parsed.operands[0], parsed.operands[1:]
    if topic == "syscalls":
        from runsc_py.runsc.commands import syscalls

        return syscalls.main(topic, rest)
    more = parse(SYNTAX, rest, "runsc-py help")
    if more.operands:
        raise RunscError(f"help: too many words: {' '.join(more.operands)}")
    if topic == "platforms":
        sys.stdout.write(_platforms(parsed.has("json") or more.has("json")))
        return 0
    sys.stdout.write(help_text(syntax_of(topic)))
    return 0
