"""`runsc-py diff EXPORT`: what a program changed, from what `run --export` handed back."""

import os
import sys

from runsc_py.runsc.arguments import FILES, Option, Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SYNTAX = Syntax(
    "runsc-py diff [--json] DIR|FILE.tar",
    "Print what a program changed, from what run --export handed back: A added, C changed, "
    "D deleted.",
    (("options", (Option("--json", help="one JSON document, with owners, modes, sizes, times"),)),),
    operands=FILES,
    epilog="""\
A directory is changed when something in it was. See also run --diff.

example:
  runsc-py run --export out -- make install && runsc-py diff out
""",
)


def _of_directory(path: str) -> "Iterator[dict[str, Any]]":
    """The list that lies beside the files."""
    import json

    from runsc_py.runsc.export.receiver import CHANGES

    try:
        with open(os.path.join(path, CHANGES), "rb") as file:
            document = json.load(file)
    except FileNotFoundError:
        raise RunscError(f"diff {path}: no {CHANGES} in it; only run --export writes one") from None
    for entry in document["changes"]:
        if not (isinstance(entry["kind"], str) and isinstance(entry["path"], str)):
            raise ValueError(entry)
        yield entry


def _of_archive(path: str) -> "Iterator[dict[str, Any]]":
    """The entries; of any layer of an image, though only ours say whether something was added."""
    from runsc_py.runsc.archive.reader import TarReader
    from runsc_py.runsc.archive.streams import decompressed
    from runsc_py.runsc.export.listing import describe

    with open(path, "rb") as file:
        yield from map(describe, TarReader(decompressed(file)))


def _print(entries: "Iterator[dict[str, Any]]", as_json: bool) -> None:
    from runsc_py.runsc.export.listing import VERSION, line

    if as_json:
        import json

        document = {"version": VERSION, "changes": list(entries)}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
        return
    for entry in entries:
        text = line(entry["kind"], entry["path"])
        sys.stdout.write(text.encode(errors="backslashreplace").decode())


def main(name: str, arguments: list[str]) -> int:
    """Print the list."""
    parsed = parse(SYNTAX, arguments, "runsc-py diff")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if len(parsed.operands) != 1:
        raise RunscError("diff needs what run --export wrote: runsc-py diff DIR|FILE.tar")
    path = parsed.operands[0]
    from runsc_py.runsc.archive.errors import ArchiveError

    entries = _of_directory(path) if os.path.isdir(path) else _of_archive(path)
    try:
        _print(entries, parsed.has("json"))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunscError(f"diff {path}: {error.strerror}") from None
    except (ArchiveError, RecursionError) as error:
        raise RunscError(f"diff {path}: {error}") from None
    except (ValueError, KeyError, TypeError):
        raise RunscError(f"diff {path}: its list of changes is damaged") from None
    return 0
