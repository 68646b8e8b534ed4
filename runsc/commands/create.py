"""`runsc-py create ID`."""

import os

from runsc_py.runsc.arguments import DIRECTORY, FILE, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import parse_or_help
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.creation import CreateOptions

#: what `exec` takes as well: the program's terminal, descriptors and process
CONSOLE_SOCKET = Option(
    "--console-socket", "SOCKET", "where the terminal's master is sent", completes=FILE
)
GIVEN_FILES = (
    Option("--pass-fd", "M:N", "descriptor M becomes N in the container", repeats=True),
    Option("--exec-fd", "N", "descriptor N is the program, whatever its name"),
    Option("--preserve-fds", "N", "descriptors 3 and following are passed on"),
)
PIDFD_SOCKET = Option(
    "--pidfd-socket", "SOCKET", "where a descriptor of that process is sent", completes=FILE
)
OPTIONS = (
    Option("-b --bundle", "DIR", "with config.json (default: here)", completes=DIRECTORY),
    CONSOLE_SOCKET,
    Option("--pid-file", "FILE", "gets the process that ends with the container", completes=FILE),
    Option("--user-log", "FILE", "what the sandbox has to tell the user", completes=FILE),
    PIDFD_SOCKET,
    *GIVEN_FILES,
    Option("--no-pivot", help="accepted: there is no root directory of the host to pivot from"),
    Option("--no-new-keyring", help="accepted: keyrings are the sandbox's own"),
)

SYNTAX = Syntax(
    "runsc-py [options] create [options] ID",
    "Make a container of a bundle; `start` runs its program.",
    (("options", OPTIONS),),
    operands=(),
    epilog="""\
example:
  runsc-py create --bundle ./bundle --pid-file web.pid web && runsc-py start web
""",
)


def create_options(parsed: Parsed) -> "CreateOptions":
    """The options of a parsed command line.  Raises RunscError."""
    from runsc_py.runsc.containers.creation import CreateOptions

    options = CreateOptions(parsed.last("bundle") or os.getcwd())
    options.console_socket = parsed.last("console-socket") or ""
    options.user_log = parsed.last("user-log") or ""
    options.pid_file = parsed.last("pid-file") or ""
    listening = listening_sockets()
    options.passed_files = passed_files(parsed, listening)
    if listening:
        options.environment = [f"LISTEN_FDS={listening}", "LISTEN_PID=1"]
    options.pidfd_socket = parsed.last("pidfd-socket") or ""
    options.executable = given_program(parsed)
    return options


def given_program(parsed: Parsed) -> int:
    """`--exec-fd N`: a descriptor of ours, -1 for none.  Raises RunscError."""
    if (text := parsed.last("exec-fd")) is None:
        return -1
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise RunscError(f"--exec-fd {text!r}: use a descriptor, for example 5")
    from runsc_py.sentry.errors import EINVAL
    from runsc_py.sentry.fs.host_executable import check_host_executable

    try:
        check_host_executable(int(text))
    except EINVAL:
        raise RunscError(f"--exec-fd {text}: no regular file that can be read") from None
    except OSError as error:
        raise RunscError(f"--exec-fd {text}: {error.strerror}") from None
    return int(text)


def listening_sockets() -> int:
    """How many sockets a service manager has opened for us, from 3 on (sd_listen_fds(3))."""
    count, owner = os.environ.get("LISTEN_FDS", ""), os.environ.get("LISTEN_PID", "")
    if owner != str(os.getpid()) or not (count.isascii() and count.isdigit()):
        return 0
    return min(int(count), 1024)


def passed_files(parsed: Parsed, listening: int = 0) -> dict[int, int]:
    """`--pass-fd M:N` and `--preserve-fds N`: number inside → descriptor of ours.

    `listening` sockets that a service manager has opened come before those of --preserve-fds.
    """
    passed = {number: number for number in range(3, 3 + listening)}
    for text in parsed.all("pass-fd"):
        host, _, guest = text.partition(":")
        if not (host.isascii() and host.isdigit() and guest.isascii() and guest.isdigit()):
            raise RunscError(f"--pass-fd {text!r}: use two descriptors, for example 5:3")
        if int(guest) in passed:
            raise RunscError(f"--pass-fd {text!r}: descriptor {guest} is given twice")
        passed[int(guest)] = int(host)
    if (count := parsed.last("preserve-fds")) is not None:
        if not (count.isascii() and count.isdigit() and int(count) < 1024):
            raise RunscError(f"--preserve-fds {count!r}: use a number of descriptors")
        first = 3 + listening
        passed.update((number, number) for number in range(first, first + int(count)))
    for number in passed.values():
        try:
            os.fstat(number)
        except OSError as error:
            raise RunscError(f"cannot pass descriptor {number}: {error.strerror}") from None
    return passed


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Create it."""
    parsed = parse_or_help(SYNTAX, name, words)
    if parsed is None:
        return 0
    if len(parsed.operands) != 1:
        raise RunscError("create needs one id for the container")
    from runsc_py.runsc.containers.creation import Creation

    Creation(config, log, parsed.operands[0], create_options(parsed)).create()
    return 0
