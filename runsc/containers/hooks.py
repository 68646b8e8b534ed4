"""Hooks: programs of the host that are run at points of a container's life.

Each gets the container's state on its standard input.  What a hook fails with is the failure of
the command, except for `poststop`, where the rest is run all the same.  The order is that of the
specification and of runc: `prestart` (deprecated) and `createRuntime` before the container can be
started, `createContainer` after them, `poststart` when its program runs, `poststop` when nothing
is left of it.  (`startContainer` hooks run inside: loader/start_hooks.py.)
"""

import os

from runsc_py.runsc.containers.host_process import SIGKILL
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from runsc_py.runsc.containers.record import ContainerRecord

#: bytes of a failed hook's output that are reported
OUTPUT_LIMIT = 4096


def run_hooks(record: "ContainerRecord", phase: str, state: "dict[str, Any]") -> None:
    """All hooks of a phase, in order.  Raises RunscError for the first that fails."""
    for index, hook in enumerate(record.hooks(phase)):
        try:
            _run(hook, state, record.bundle)
        except HookError as error:
            raise RunscError(f"error running {phase} hook #{index}: {error}") from None


def run_create_container_hooks(record: "ContainerRecord", state: "dict[str, Any]") -> None:
    """The hooks that runc runs in the container's mount namespace, before its root is entered.

    Programs and files are the host's there as well; the directory is the container's root, the
    environment its process's, and the process is known by its number in the container.
    """
    spec = record.spec
    default = (spec.get("process") or {}).get("env")
    for index, hook in enumerate(record.hooks("createContainer")):
        try:
            _run(
                {"env": default, **hook},
                {**state, "pid": 1},
                spec["root"]["path"],
                _enter_mount_namespace,
            )
        except HookError as error:
            raise RunscError(f"error running createContainer hook #{index}: {error}") from None


def run_poststop_hooks(record: "ContainerRecord", state: "dict[str, Any]") -> list[str]:
    """All of them, whatever happens; what went wrong."""
    problems = []
    for index, hook in enumerate(record.hooks("poststop")):
        try:
            _run(hook, state, record.bundle)
        except HookError as error:
            problems.append(f"error running poststop hook #{index}: {error}")
    return problems


class HookError(Exception):
    """What one hook failed with."""


def _run(
    hook: "dict[str, Any]",
    state: "dict[str, Any]",
    directory: str,
    prepare: "Callable[[], None] | None" = None,
) -> None:
    """Run one hook to its end, in a session of its own: its time limit is for all it starts."""
    import subprocess  # takes as long as a whole command without hooks

    path, timeout = hook["path"], hook.get("timeout")
    try:
        process = subprocess.Popen(
            hook.get("args") or [path],
            executable=path,
            env=_environment(hook),
            cwd=directory if os.path.isdir(directory) else "/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=prepare,
        )
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise HookError(f"{path}: {reason}") from None
    try:
        output, _ = process.communicate(encode(state).encode(), timeout)
    except subprocess.TimeoutExpired:
        raise HookError(f"{path}: hook ran past specified timeout of {timeout}.0s") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, SIGKILL)
            process.wait()
    if process.returncode != 0:
        text = output[-OUTPUT_LIMIT:].decode(errors="replace").strip()
        raise HookError(f"{path}: {_status(process.returncode)}, output: {text!r}")


def _environment(hook: "dict[str, Any]") -> "dict[bytes, bytes]":
    """Exactly what is asked for; ours, as with runc, when nothing is said.

    Ours is handed on explicitly: what the process itself inherited may be forgotten by now.
    """
    entries = hook.get("env")
    if entries is None:
        return dict(os.environb)
    pairs = (os.fsencode(entry).partition(b"=") for entry in entries)
    return {name: value for name, _, value in pairs if name}


def _status(code: int) -> str:
    return f"signal: {signal_text(-code)}" if code < 0 else f"exit status {code}"


def signal_text(number: int) -> str:
    """As runc has it: `killed`, `bad system call`."""
    from signal import strsignal

    return (strsignal(number) or str(number)).lower()


def _enter_mount_namespace() -> None:
    """Mounts that a `createContainer` hook makes are its own: the container has no host mounts.

    Without the right to a mount namespace a hook has none to mount either.
    """
    from runsc_py.runsc.confinement.container_root import leave_host_mounts

    try:
        leave_host_mounts()
    except OSError:
        return
