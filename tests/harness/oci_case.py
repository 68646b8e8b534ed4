"""One behaviour of OCI runtimes: a bundle, and what is done with it step by step.

A case is a TOML file of tests/oci/bundles, with these keys, all optional::

    script  = "echo hello"     what `sh -c` runs in the container
    stdin   = "text"           its standard input
    steps   = ["create @ID@"]  commands of the runtime; create, start, wait, delete unless given
    like    = "runc: why"      which peer is followed where runc and crun differ
    options = ["--oci-seccomp"] options of runsc-py only
    pending = "why"            runsc-py must still differ; remove this when it no longer does
    [config]                   changes to the default configuration (harness.oci_bundle.merge)
    [files]                    files of the bundle directory; executable if they begin with #!

In all of them @ID@ stands for the container and @BUNDLE@ for the bundle's directory. Every command
of the OCI command line is a step, and so are `wait` (for the end of the container's process, whose
status whoever adopts it sees), `await STATUS` (until `state` says so), `read FILE` (of the bundle's
directory) and `until FILE` (until that exists). "! exec @ID@ true" has to fail, with a status of
the runtime's own. The transcript of a run is what is compared.
"""

import json
import os
import shlex
import shutil
import socket
import threading
import time
import tomllib
from pathlib import Path
from typing import Any

from harness.oci_bundle import make_bundle
from harness.oci_runtime import LIMIT, Runtime
from harness.outcome import describe_status
from harness.processes import descendants, reap_orphans, settle

KEYS = ("script", "stdin", "steps", "like", "options", "pending", "config", "files")
STEPS = ["create @ID@", "start @ID@", "wait", "delete @ID@"]
STATE_KEYS = ("id", "status", "pid", "bundle", "annotations")


class Case:
    """A description, read from its file."""

    def __init__(self, source: Path) -> None:
        values = tomllib.loads(source.read_text())
        unknown = set(values) - set(KEYS)
        if unknown:
            raise ValueError(f"{source}: unknown keys {sorted(unknown)}")
        self.name = source.stem
        self.stdin: str = values.get("stdin", "")
        self.steps: list[str] = values.get("steps", STEPS)
        self.like, _, self.reason = values.get("like", "").partition(":")
        self.options: list[str] = values.get("options", [])
        self.pending: str = values.get("pending", "")
        self.files: dict[str, str] = values.get("files", {})
        self.config: dict[str, Any] = values.get("config", {})
        process: Any = self.config.setdefault("process", {})
        self.terminal = isinstance(process, dict) and process.get("terminal", False)
        if "script" in values:
            process["args"] = ["sh", "-c", values["script"]]


def discover(directory: Path) -> list[Case]:
    """Every case, by name."""
    return [Case(path) for path in sorted(directory.glob("*.toml"))]


class Terminal:
    """The other end of a console socket: receives the terminal and reads what is written to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = b""
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            connection, _ = self._server.accept()
        except OSError:  # closed: no terminal came
            return
        with connection:
            _, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
        try:
            while data := os.read(descriptors[0], 4096):
                self._text += data
        except OSError:  # EIO: the last one has closed it
            pass
        finally:
            os.close(descriptors[0])

    def close(self) -> str:
        """All that was written until the container ended."""
        if self._text == b"":
            self._thread.join(2.0)
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(LIMIT)
        self._server.close()
        return self._text.decode(errors="backslashreplace").replace("\r\n", "\n")


class Run:
    """One case in the hands of one runtime."""

    def __init__(self, case: Case, runtime: Runtime, directory: Path) -> None:
        self.case = case
        self.runtime = runtime
        self.bundle = directory
        self.identity = f"case-{os.getpid()}"
        self.lines: list[str] = []
        self._known = set(descendants())
        self._terminal: Terminal | None = None

    def transcript(self) -> str:
        """Make the bundle, do the steps, clean up; everything that was seen, as text."""
        known = self._known
        if self.bundle.exists():
            shutil.rmtree(self.bundle)
        self.bundle.mkdir(parents=True)
        make_bundle(self.bundle, json.loads(self._named(json.dumps(self.case.config))))
        for name, content in self.case.files.items():
            path = self.bundle / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._named(content))
            path.chmod(0o755 if content.startswith("#!") else 0o644)
        (self.bundle / "stdin").write_text(self.case.stdin)
        (self.bundle / "output").touch()
        try:
            for step in self.case.steps:
                self._step(shlex.split(step))
        finally:
            self.runtime.call("delete", "--force", self.identity)
            left = settle(known, 5.0, kill=False)
            settle(known, 5.0, kill=True)
        if left:
            self.lines.append(f"processes left behind: {len(left)}")
        if self._terminal is not None:
            self.lines += ["terminal:", self._terminal.close()]
        self.lines += ["output:", (self.bundle / "output").read_text(errors="backslashreplace")]
        return (
            "\n".join(self.lines)
            .replace(self.identity, "@ID@")
            .replace(str(self.bundle), "@BUNDLE@")
        )

    def _named(self, text: str) -> str:
        return text.replace("@BUNDLE@", str(self.bundle)).replace("@ID@", self.identity)

    def _step(self, words: list[str]) -> None:
        if words[0] == "!":
            return self._command([self._named(word) for word in words[1:]], fails=True)
        name, *rest = words
        own = getattr(self, f"_do_{name}", None)
        if own is not None:
            own(*rest)
        else:
            self._command([self._named(word) for word in words])
        return None

    def _command(self, words: list[str], *, fails: bool = False) -> None:
        name = words[0]
        options = self.case.options if self.runtime.name == "runsc-py" else []
        if name in ("create", "run"):
            words[1:1] = ["--bundle", str(self.bundle), "--pid-file", str(self.bundle / "pid")]
            if self.case.terminal:
                self._terminal = Terminal(self.bundle / "console")
                words[1:1] = ["--console-socket", str(self._terminal.path)]
            with (
                (self.bundle / "stdin").open("rb") as stdin,
                (self.bundle / "output").open("ab") as output,
                (self.bundle / "errors").open("ab") as errors,
            ):
                called = self.runtime.call(
                    *words,
                    options=options,
                    cwd=self.bundle,
                    stdin=stdin.fileno(),
                    stdout=output.fileno(),
                    stderr=errors.fileno(),
                )
        else:
            called = self.runtime.call(*words, options=options, cwd=self.bundle)
        shown = called.stdout
        if name == "state" and called.status == 0:
            shown = self._state(json.loads(shown))
        # A runtime's own failure has a number of its own: 1 of runc and crun, 128 of gVisor's.
        status = str(called.status)
        if called.status and (fails or name not in ("run", "exec")):
            status = "failed"
        self.lines.append(f"$ {' '.join(self._shown(words))} → {status}")
        if shown:
            self.lines.append(shown.rstrip("\n"))

    def _shown(self, words: list[str]) -> list[str]:
        hidden = ("--bundle", "--pid-file", "--console-socket")
        return [
            word
            for before, word in zip(["", *words], words, strict=False)
            if word not in hidden and before not in hidden
        ]

    def _state(self, state: dict[str, Any]) -> str:
        """What the specification says of the state, and of the process id whether there is one."""
        assert state["ociVersion"], "a state without the version of the specification"
        shown = {key: state[key] for key in STATE_KEYS if state.get(key)}
        if "pid" in shown:
            shown["pid"] = "alive" if Path(f"/proc/{shown['pid']}").exists() else "gone"
        return json.dumps(shown, sort_keys=True)

    def _do_wait(self) -> None:
        """The status of the process in the pid file, which is our child once `create` has ended."""
        pid = int((self.bundle / "pid").read_text())
        deadline = time.monotonic() + LIMIT
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            assert time.monotonic() < deadline, "the container does not end"
            # The first process of a namespace stays until all others have been waited for, and
            # those that were executed in it are our children, too.
            reap_orphans(self._known | {pid})
            time.sleep(0.01)
        number = os.waitstatus_to_exitcode(status)
        self.lines.append(f"$ wait → {describe_status(number if number >= 0 else 128 - number)}")

    def _do_await(self, status: str) -> None:
        deadline = time.monotonic() + LIMIT
        while True:
            called = self.runtime.call("state", self.identity)
            found = json.loads(called.stdout)["status"] if called.status == 0 else repr(called)
            if found == status:
                self.lines.append(f"$ await {status}")
                return
            assert time.monotonic() < deadline, f"it never is {status}: {found}"
            time.sleep(0.02)

    def _do_until(self, name: str) -> None:
        deadline = time.monotonic() + LIMIT
        while not (self.bundle / name).exists():
            assert time.monotonic() < deadline, f"{name} never came: {self.errors()}"
            time.sleep(0.01)

    def _do_read(self, name: str) -> None:
        path = self.bundle / name
        content = path.read_text() if path.exists() else "(does not exist)"
        self.lines += [f"$ read {name}", content.rstrip("\n")]

    def errors(self) -> str:
        """What was written to standard error by the runtime, for the reader of a failure."""
        path = self.bundle / "errors"
        return path.read_text(errors="backslashreplace") if path.exists() else ""
