"""A sandbox with several containers, driven by commands and by control calls."""

import itertools
import os
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.oci_bundle import make_bundle
from harness.oci_runtime import Called, Runtime, ours
from runsc_py.runsc.control.client import ControlClient

ROOT = "root"
"""The container that began the sandbox."""
LIMIT = 30.0
SLEEP = ["sleep", "600"]
SANDBOX = {"io.kubernetes.cri.container-type": "sandbox"}
INSIDE = {
    "io.kubernetes.cri.container-type": "container",
    "io.kubernetes.cri.sandbox-id": ROOT,
}


class Pod:
    """One state directory with at most one sandbox in it, and the output of its containers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime: Runtime = ours(folder / "state")
        self._numbers = itertools.count()
        self._group = f"runsc-py-{uuid.uuid4().hex[:12]}"

    def __call__(self, *words: str | Path, cwd: Path | None = None) -> Called:
        """A command; its output goes to files, which a container may keep open."""
        output, errors = self.folder / "output", self.folder / "errors"
        with output.open("wb") as stdout, errors.open("wb") as stderr:
            called = self.runtime.call(
                *words, cwd=cwd or self.folder, stdout=stdout.fileno(), stderr=stderr.fileno()
            )
        called.stdout = output.read_text(errors="backslashreplace")
        called.stderr = errors.read_text(errors="backslashreplace")
        return called

    def bundle(self, arguments: list[str], changes: Mapping[str, Any] | None = None) -> Path:
        """A bundle that runs this; `changes` are those of harness.oci_bundle.merge."""
        directory = self.folder / f"bundle{next(self._numbers)}"
        directory.mkdir()
        changed = {**(changes or {})}
        changed["process"] = {"args": arguments, **changed.get("process", {})}
        # Control groups are everybody's: the names of containers are not enough there.
        group = f"/{self._group}-{directory.name}"
        changed["linux"] = {"cgroupsPath": group, **changed.get("linux", {})}
        return make_bundle(directory, changed)

    def create(
        self, name: str, arguments: list[str], changes: Mapping[str, Any] | None = None
    ) -> Called:
        """A container of the sandbox, or its first one."""
        annotations = SANDBOX if name == ROOT else INSIDE
        changed = {**(changes or {})}
        changed["annotations"] = {**annotations, **changed.get("annotations", {})}
        bundle = self.bundle(arguments, changed)
        return self("create", "--bundle", bundle, "--pid-file", self.folder / f"{name}.pid", name)

    def start(
        self, name: str, arguments: list[str], changes: Mapping[str, Any] | None = None
    ) -> Called:
        """Create and start; the first failure is returned."""
        created = self.create(name, arguments, changes)
        return self("start", name) if created.status == 0 else created

    def running(
        self, name: str, arguments: list[str], changes: Mapping[str, Any] | None = None
    ) -> None:
        """Start what has to start."""
        started = self.start(name, arguments, changes)
        assert started.status == 0, started

    def shown(self, script: str, changes: Mapping[str, Any] | None = None) -> str:
        """What a shell script prints in a container of its own, which is deleted afterwards."""
        name = f"shown{next(self._numbers)}"
        created = self.create(name, ["sh", "-c", script], changes)
        assert created.status == 0, created
        # Its standard output is that of the command that created it.
        output = self.folder / f"{name}.output"
        (self.folder / "output").rename(output)
        started = self("start", name)
        assert started.status == 0, started
        assert self.ended(name) is not None
        deleted = self("delete", name)
        assert deleted.status == 0, deleted
        return output.read_text()

    def ended(self, name: str) -> int:
        """The wait(2) status of the process that stands for a container, once it has ended."""
        pid = int((self.folder / f"{name}.pid").read_text())
        deadline = time.monotonic() + LIMIT
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            assert time.monotonic() < deadline, f"{name} does not end"
            time.sleep(0.01)

    def client(self) -> ControlClient:
        """A connection to the sandbox."""
        return ControlClient(str(self.runtime.state / f"{ROOT}.sock"), LIMIT)

    def descriptors(self) -> "Counter[str]":
        """What the sandbox has open, by the kinds and names that /proc has."""
        pid = int((self.folder / f"{ROOT}.pid").read_text())
        found: Counter[str] = Counter()
        for path in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found[os.readlink(path).partition(":[")[0]] += 1
            except FileNotFoundError:  # closed meanwhile
                continue
        return found

    def closed(self, before: "Counter[str]") -> None:
        """Wait until the sandbox has no more open than before: it closes behind its answers."""
        deadline = time.monotonic() + LIMIT
        while more := self.descriptors() - before:
            assert time.monotonic() < deadline, f"stays open: {more}"
            time.sleep(0.01)

    def close(self) -> None:
        """Delete all containers; nothing may be left of them."""
        names = self("list", "--quiet").stdout.split()
        for name in sorted(names, key=lambda name: name == ROOT):
            deleted = self("delete", "--force", name)
            assert deleted.status == 0, deleted
        state = self.runtime.state
        assert not state.exists() or os.listdir(state) == []
