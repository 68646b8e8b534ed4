"""`runsc-py list`: the containers of one `--root`."""

import os
import sys

from runsc_py.runsc.arguments import Option, Syntax
from runsc_py.runsc.commands.container_command import parse_or_help
from runsc_py.runsc.config import Config, default_root
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.json_text import encode_compact
from runsc_py.runsc.runtime_log import RuntimeLog
from runsc_py.runsc.text import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.record import ContainerRecord

SYNTAX = Syntax(
    "runsc-py [options] list [options]",
    "List the containers of --root.",
    (
        (
            "options",
            (
                Option("-q --quiet", help="only their ids"),
                Option("-f --format", "table|json", "how", choices=("table", "text", "json")),
                Option(
                    "--sandbox",
                    "ID",
                    "sandboxes only, by their first containers; with ID the containers of that one",
                    optional=True,
                ),
            ),
        ),
    ),
    operands=(),
    epilog="""\
examples:
  runsc-py list --format json
  runsc-py list --quiet --sandbox
""",
)
HEADER = ("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER")


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print them; a record that cannot be read is a warning."""
    parsed = parse_or_help(SYNTAX, name, words)
    if parsed is None:
        return 0
    if parsed.operands:
        raise RunscError("list takes no arguments")
    from runsc_py.runsc.containers.store import StateDirectory

    store = StateDirectory(config.root)
    if config.root != default_root() and not os.path.isdir(config.root):
        raise RunscError(f"--root {config.root}: no such directory")
    records = []
    for identifier in store.identifiers():
        try:
            records.append(store.load(identifier))
        except RunscError as error:
            log.warning(f"{identifier}: {error}")
    if (sandbox := parsed.last("sandbox")) is not None:
        records = [
            record
            for record in records
            if (record.sandbox_id == sandbox if sandbox else record.is_root)
        ]
    if parsed.has("quiet"):
        sys.stdout.write("".join(f"{record.identifier}\n" for record in records))
    elif parsed.last("format") == "json":
        entries = [record.listed_state() for record in records]
        sys.stdout.write(encode_compact(entries or None) + "\n")
    else:
        _print_table(records)
    return 0


def _print_table(records: "list[ContainerRecord]") -> None:
    rows = [HEADER]
    for record in records:
        state = record.oci_state()
        rows.append(
            (
                record.identifier,
                str(state["pid"]),
                state["status"],
                record.bundle,
                record.created,
                record.owner,
            )
        )
    sys.stdout.write(table(rows, "   "))
