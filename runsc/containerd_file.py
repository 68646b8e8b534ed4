"""Our entry in containerd's config.toml: lines of our own at its end, and nothing else changed.

A file that containerd imports would not do: its section of a plugin takes the place of the
administrator's whole section, with its sandbox image, its snapshotter and its other runtimes.
"""

import json
import tomllib

from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: version of the file → the plugin that has the runtimes
PLUGINS = {2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}
#: containerd's shim for runc calls us as it calls runc
SHIM = "io.containerd.runc.v2"
EMPTY = "version = 2\n"


class ContainerdFile:
    """The text of config.toml, with or without a runtime's lines."""

    def __init__(self, path: str, text: str, name: str) -> None:
        """`name`: the runtime's.  Raises RunscError."""
        self.path = path
        self._begin = f"# runsc-py install: the runtime {name}; runsc-py uninstall removes this.\n"
        self._end = f"# runsc-py install: end of {name}.\n"
        self._name = name
        before, begin, rest = text.partition(self._begin)
        _, end, after = rest.partition(self._end)
        if begin and not end:
            raise RunscError(f"{path}: the end of our lines is missing; remove them by hand")
        #: without our lines
        self.text = before + after

    def _parse(self, text: str) -> "dict[str, Any]":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RunscError(f"{self.path}: {error}") from None

    def with_runtime(self, executable: str) -> str:
        """The text with our lines.  Raises RunscError for what they cannot be added to."""
        text = self.text or EMPTY
        document = self._parse(text)
        plugin = PLUGINS.get(document.get("version", 1))
        if plugin is None:
            raise RunscError(
                f"{self.path} has another version than 2 or 3; see `containerd config migrate`"
            )
        section = document.get("plugins", {}).get(plugin, {}).get("containerd", {})
        runtimes = section.get("runtimes", {})
        if self._name in runtimes:
            raise RunscError(f"{self.path} has another runtime {self._name!r}; remove it first")
        lines = []
        if not runtimes:
            # With none in the file there is containerd's own, which the first one takes away.
            default = section.get("default_runtime_name", "runc")
            lines += [_table(plugin, default), f'runtime_type = "{SHIM}"\n']
        lines += [_table(plugin, self._name), f'runtime_type = "{SHIM}"\n']
        lines += [_table(plugin, self._name, "options"), f"BinaryName = {json.dumps(executable)}\n"]
        if not text.endswith("\n"):
            text += "\n"
        text += "".join((self._begin, *lines, self._end))
        self._parse(text)
        return text

    def without_runtime(self) -> str:
        """The text without our lines; empty when nothing but them was there."""
        return "" if self.text == EMPTY else self.text


def _table(plugin: str, *names: str) -> str:
    path = ".".join(json.dumps(name) for name in ("plugins", plugin, "containerd", "runtimes"))
    return "[" + ".".join((path, *map(json.dumps, names))) + "]\n"
