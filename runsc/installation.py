"""Making ourselves known to container engines: what is written where.

Docker's runtimes are members of a JSON file that belongs to the administrator, containerd's tables
of a TOML file (containerd_file.py); the other engines read folders of files, in which one is ours.
Nothing is changed twice, and nothing but our entry.
"""

import json
import os
import re

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.replacing import replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.runsc.containerd_file import ContainerdFile

MARK = "# Written by runsc-py install; runsc-py uninstall removes it.\n"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

#: engine → the file that is written unless another one is named
FILES = {
    "docker": "/etc/docker/daemon.json",
    "podman": "/etc/containers/containers.conf.d/{name}.conf",
    "containerd": "/etc/containerd/config.toml",
    "crio": "/etc/crio/crio.conf.d/{name}.conf",
}
#: what is left to do
ADVICE = {
    "docker": "systemctl reload docker; docker run --runtime={name} …",
    "podman": "podman --runtime={name} run …",
    "containerd": "systemctl restart containerd",
    "crio": "systemctl reload crio",
}
TEMPLATES = {
    "podman": "[engine.runtimes]\n{key} = [{path}]\n",
    "crio": '[crio.runtime.runtimes.{key}]\nruntime_path = {path}\nruntime_type = "oci"\n',
}


class Entry:
    """A runtime's entry in an engine's configuration."""

    def __init__(self, engine: str, name: str, path: str = "") -> None:
        """`path`: of the configuration; empty: the usual one.  Raises RunscError."""
        if NAME.fullmatch(name) is None:
            raise RunscError(f"--runtime {name!r}: use letters, digits, dots and dashes")
        self.engine = engine
        self.name = name
        self.path = os.path.realpath(path or FILES[engine].format(name=name))

    @property
    def advice(self) -> str:
        """What the administrator does next."""
        return ADVICE[self.engine].format(name=self.name)

    def installed(
        self, executable: str, options: list[str], *, clobber: bool, experimental: bool = False
    ) -> bytes:
        """The file's content with the entry.  Raises RunscError for what it may not replace."""
        if self.engine == "docker":
            document = self._with_runtime(executable, options, clobber=clobber)
            if experimental:
                document["experimental"] = True
            return _encoded(document)
        if experimental:
            raise RunscError(f"{self.engine} has no switch for experimental features")
        if options:
            raise RunscError(f"{self.engine} passes no options to a runtime; leave them out")
        if self.engine == "containerd":
            return self._containerd_file().with_runtime(executable).encode()
        key, path = json.dumps(self.name), json.dumps(executable)
        text = MARK + TEMPLATES[self.engine].format(key=key, path=path)
        before = self.read()
        if before is not None and not self._is_ours(before) and not clobber:
            raise RunscError(f"{self.path} is not ours; --clobber replaces it")
        return text.encode()

    def _with_runtime(
        self, executable: str, options: list[str], *, clobber: bool
    ) -> "dict[str, Any]":
        """Docker's document."""
        document = self._document()
        runtimes = document.setdefault("runtimes", {})
        if not isinstance(runtimes, dict):
            raise RunscError(f'{self.path}: "runtimes" is no object')
        entry: dict[str, object] = {"path": executable}
        if options:
            entry["runtimeArgs"] = options
        if runtimes.get(self.name, entry) != entry and not clobber:
            raise RunscError(
                f"{self.path} has another runtime {self.name!r}; --clobber replaces it"
            )
        runtimes[self.name] = entry
        return document

    def uninstalled(self) -> bytes | None:
        """The file's content without the entry; None when nothing is left of it."""
        before = self.read()
        if before is None:
            return None
        if self.engine == "containerd":
            return self._containerd_file().without_runtime().encode() or None
        if self.engine != "docker":
            if not self._is_ours(before):
                raise RunscError(f"{self.path} is not ours; it stays")
            return None
        document = self._document()
        runtimes = document.get("runtimes")
        if not isinstance(runtimes, dict) or self.name not in runtimes:
            return before
        del runtimes[self.name]
        if not runtimes:
            del document["runtimes"]
        return _encoded(document)

    def read(self) -> bytes | None:
        """The file; None when there is none.  Raises RunscError."""
        try:
            with open(self.path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RunscError(f"{self.path}: {error.strerror}") from None

    def write(self, content: bytes | None) -> bool:
        """Put this in the file's place, or remove it; False when nothing had to be changed."""
        before = self.read()
        if content == before:
            return False
        try:
            if content is None:
                os.unlink(self.path)
            else:
                os.makedirs(os.path.dirname(self.path), exist_ok=True)
                replace_file(self.path, content, 0o644)
        except OSError as error:
            raise RunscError(f"{self.path}: {error.strerror}") from None
        return True

    def _containerd_file(self) -> "ContainerdFile":
        from runsc_py.runsc.containerd_file import ContainerdFile

        try:
            text = (self.read() or b"").decode()
        except UnicodeDecodeError as error:
            raise RunscError(f"{self.path}: {error}") from None
        return ContainerdFile(self.path, text, self.name)

    def _document(self) -> "dict[str, Any]":
        try:
            document = json.loads(self.read() or b"{}")
        except ValueError as error:
            raise RunscError(f"{self.path}: {error}") from None
        if not isinstance(document, dict):
            raise RunscError(f"{self.path}: not a JSON object")
        return document

    def _is_ours(self, content: bytes) -> bool:
        return content.startswith(MARK.encode())


def _encoded(document: "dict[str, Any]") -> bytes:
    return json.dumps(document, indent=4).encode() + b"\n"
