"""`runsc-py install` and `uninstall`: our entry in a container engine's configuration."""

import os
import sys

from runsc_py.runsc.arguments import FILE, Option, Parsed, Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError

ENGINES = ("docker", "podman", "containerd", "crio")

SYNTAX = Syntax(
    "runsc-py install|uninstall [options] [-- OPTION…]",
    "Add a runtime to the configuration of a container engine, or remove it. Nothing else in it is "
    "changed.",
    (
        (
            "options",
            (
                Option("--engine", "ENGINE", "whose (default: docker)", choices=ENGINES),
                Option("--runtime", "NAME", "what it is called (default: runsc-py)"),
                Option(
                    "--config-file --config_file",
                    "FILE",
                    "instead of the usual one",
                    completes=FILE,
                ),
                Option("--experimental", help="of docker: allow its experimental features, too"),
                Option("--clobber", help="replace what is there under this name"),
                Option("--dry-run", help="print the file as it would be, and change nothing"),
                Option("--json", help="say what was done as JSON"),
            ),
        ),
    ),
    operands=(),
    epilog="""\
Docker gives OPTIONs to runsc-py each time.

examples:
  runsc-py install -- --network=host
  runsc-py install --engine podman --dry-run
  runsc-py uninstall
""",
)


def _executable() -> str:
    """The absolute name that we were called by: it goes on working when we are upgraded."""
    import shutil

    found = shutil.which(sys.argv[0])
    if found is None:
        raise RunscError(f"cannot find {sys.argv[0]!r}; call runsc-py by its path")
    return os.path.abspath(found)


def main(name: str, arguments: list[str]) -> int:
    """Change the file, or print what would be changed."""
    parsed = parse(SYNTAX, arguments, f"runsc-py {name}")
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    from runsc_py.runsc.installation import Entry

    entry = Entry(
        parsed.last("engine") or "docker",
        parsed.last("runtime") or "runsc-py",
        parsed.last("config-file") or "",
    )
    content: bytes | None
    if name == "install":
        options = _checked_options(parsed)
        content = entry.installed(
            _executable(),
            options,
            clobber=parsed.has("clobber"),
            experimental=parsed.has("experimental"),
        )
    elif parsed.operands:
        raise RunscError("uninstall takes no arguments")
    else:
        content = entry.uninstalled()
    if parsed.has("dry-run"):
        sys.stdout.write((content or b"").decode(errors="replace"))
        return 0
    changed = entry.write(content)
    _report(parsed, {"file": entry.path, "changed": changed, "next": entry.advice})
    return 0


def _checked_options(parsed: Parsed) -> list[str]:
    """Options that every command could be given.  Raises RunscError now, not at every start."""
    from runsc_py.runsc.config import parse_config

    if parsed.operands and parse_config(parsed.operands)[1].operands:
        raise RunscError(f"install: {' '.join(parsed.operands)}: options only")
    return parsed.operands


def _report(parsed: Parsed, done: dict[str, object]) -> None:
    if parsed.has("json"):
        import json

        sys.stdout.write(json.dumps(done) + "\n")
    elif done["changed"]:
        sys.stdout.write(f"{done['file']} changed; next: {done['next']}\n")
    else:
        sys.stdout.write(f"{done['file']} is as it should be\n")
