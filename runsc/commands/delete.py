"""`runsc-py delete [--force] ID…`."""

from runsc_py.runsc.arguments import CONTAINER, Option, Syntax
from runsc_py.runsc.commands.container_command import parse_or_help
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

SYNTAX = Syntax(
    "runsc-py [options] delete [--force] ID…",
    "Forget containers that have stopped.",
    (
        (
            "options",
            (Option("-f --force", help="kill what runs; what is not there is no error"),),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
examples:
  runsc-py delete web
  runsc-py delete --force web worker
""",
)


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Delete each; what fails with one does not stop the others."""
    parsed = parse_or_help(SYNTAX, name, words)
    if parsed is None:
        return 0
    if not parsed.operands:
        raise RunscError("delete needs the id of a container")
    problems = []
    for identifier in parsed.operands:
        try:
            _delete(config, log, identifier, force=parsed.has("force"))
        except RunscError as error:
            problems.append(str(error))
    if problems:
        raise RunscError("; ".join(problems))
    return 0


def _delete(config: Config, log: RuntimeLog, identifier: str, *, force: bool) -> None:
    from runsc_py.runsc.containers.container import Container, delete_remains
    from runsc_py.runsc.containers.identifiers import check_identifier
    from runsc_py.runsc.containers.store import NoSuchContainer

    check_identifier(identifier)
    try:
        Container.load(config.root, identifier, log).delete(force=force)
    except NoSuchContainer:
        if not force:
            raise
        delete_remains(config.root, identifier)
