"""docs/options.md, made from the table of options: `python -m runsc_py.runsc.settings_page`."""

import sys

from runsc_py.runsc.config import FLAG_PREFIX
from runsc_py.runsc.settings import GROUPS, REFUSED, Setting, always, never

HEAD = f"""\
# Options before the command

<!-- Made by `make docs` from runsc/settings.py; a test fails when this page is stale. -->

`runsc-py [options] COMMAND …`, and `Config(name=value)` in Python. Names and meanings are gVisor's.
An annotation `{FLAG_PREFIX}NAME` of a bundle sets what its author may set: *yes* below, or *some*
values. Any other needs `--allow-flag-override`. `--debug` is `--debug=true`: a true or false may be
left out, and is only taken behind `=`.  `dev.gvisor.bundle.experimental-high-performance` is
`--overlay2=root:self` here.
"""


def render() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, settings in GROUPS:
        parts.append(f"## {title.capitalize()}\n")
        parts.append("| option | default | author | |\n| --- | --- | --- | --- |")
        parts.append("\n".join(_row(setting) for setting in settings) + "\n")
    parts.append("## Not offered\n\nOptions of gVisor's, and what `runsc-py` says to them.\n")
    parts.append("| option | |\n| --- | --- |")
    parts.append("\n".join(f"| `--{name}` | {reason} |" for name, reason in REFUSED.items()) + "\n")
    return "\n".join(parts)


def _row(setting: Setting) -> str:
    author = "some"
    if setting.for_author in (always, never):
        author = "yes" if setting.for_author is always else ""
    value = setting.value.replace("|", "\\|")
    default = setting.default
    if isinstance(default, bool):
        shown = "`true`" if default else "`false`"
    elif isinstance(default, float):
        shown = f"{default:g} s"
    else:
        shown = f"`{default}`" if default != "" else ""
    text = setting.help.replace("|", "\\|")
    return f"| `--{setting.key} {value}` | {shown} | {author} | {text} |"


if __name__ == "__main__":
    sys.stdout.write(render())
