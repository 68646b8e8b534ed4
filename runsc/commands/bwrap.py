"""`runsc-py bwrap [OPTION…] [--] COMMAND [ARG…]`: bubblewrap's command line.

The steps are those of bwrap(1); what fills the root is in runsc/bubblewrap.
"""

import gc
import os
import sys

from runsc_py.runsc.arguments import Syntax, help_text
from runsc_py.runsc.bubblewrap.parsing import CALLER, NAMESPACES, PROGRAM, ROOT, CommandLine
from runsc_py.runsc.errors import RunscError

SYNTAX = Syntax(
    "runsc-py bwrap [OPTION…] [--] COMMAND [ARG…]",
    "Run a program with bubblewrap's options. Its root is empty but for what they put there, in "
    "their order; no system call of it reaches the host's kernel.",
    (("root", ROOT), ("program", PROGRAM), ("namespaces", NAMESPACES), ("caller", CALLER)),
    epilog="""\
example:
  runsc-py bwrap --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib \\
      --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp --unshare-all \\
      --die-with-parent -- sh
""",
)

#: what bwrap ends with when it could not run the program
FAILURE = 1


def _tell(line: CommandLine, name: str, text: str, *, last: bool) -> None:
    """A document to a descriptor of the caller's."""
    if name not in line.given:
        return
    descriptor = int(line.given[name])
    try:
        os.write(descriptor, text.encode())
        if last:
            os.close(descriptor)
    except OSError as error:
        raise RunscError(f"Write to {name.replace('-', '_')}: {error.strerror}") from None


def _begin(line: CommandLine) -> None:
    """What comes before the sandbox."""
    import json

    for name in ("info-fd", "json-status-fd", "block-fd", "sync-fd"):
        if name in line.given:
            _check_descriptor(name, line.given[name])
    if "json-status-fd" in line.given:
        # It may be one of the first three, which go to the program.
        line.given["json-status-fd"] = str(os.dup(int(line.given["json-status-fd"])))
    if "block-fd" in line.given:
        descriptor = int(line.given["block-fd"])
        os.read(descriptor, 1)
        os.close(descriptor)
    document = {"child-pid": os.getpid()}
    _tell(line, "info-fd", json.dumps(document, indent=4) + "\n", last=True)
    _tell(line, "json-status-fd", json.dumps(document) + "\n", last=False)


def _check_descriptor(name: str, text: str) -> None:
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise RunscError(f"Invalid fd: {text}")
    try:
        os.fstat(int(text))
    except OSError as error:
        raise RunscError(f"--{name} {text}: {error.strerror}") from None


def main(name: str, arguments: list[str]) -> int:
    """Run, and end the process with the status of the run.  Raises RunscError."""
    if arguments[:1] in (["--help"], ["-h"]):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if arguments[:1] == ["--version"]:
        from importlib.metadata import version

        sys.stdout.write(f"runsc-py {version('runsc-py')} bwrap\n")
        return 0
    try:
        status = _run(arguments)
    except RunscError as error:
        raise RunscError(str(error), FAILURE) from None
    os._exit(status)


def _run(arguments: list[str]) -> int:
    parent = os.getppid()
    line = CommandLine()
    line.parse(arguments)
    line.options.ends_with_parent = "die-with-parent" in line.given
    _begin(line)
    if line.options.ends_with_parent and os.getppid() != parent:
        raise RunscError("the parent has ended")
    gc.disable()
    from runsc_py.runsc.running import run_and_report

    status = run_and_report(line.options, log_path=None, debug=False, result_target=None)
    _tell(line, "json-status-fd", f'{{ "exit-code": {status} }}\n', last=True)
    return status
