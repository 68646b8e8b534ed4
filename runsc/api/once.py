"""`run`: one program in a sandbox of its own, with every limit of `runsc-py run`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from runsc_py.runsc.api.arguments import environment_of, size_of, volumes_of, words_of
from runsc_py.runsc.api.results import Result
from runsc_py.runsc.errors import RunscError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.api.arguments import Command


def run(
    command: Command,
    *,
    stdin: bytes | str = b"",
    rootfs: str | os.PathLike[str] | None = None,
    image: str | os.PathLike[str] | None = None,
    volumes: Mapping[str | os.PathLike[str], str] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    user: str | None = None,
    network: str = "none",
    wall: float | None = None,
    cpu: float | None = None,
    memory: int | str | None = None,
    pids: int | None = None,
    files: int | None = None,
    export: str | os.PathLike[str] | None = None,
    check: bool = False,
) -> Result:
    """Run a program to its end; the options are those of `runsc-py run`.

    A limit, a signal or an exit status is a result.  Raises RunscError when the program could not
    be run, and ProcessFailed with `check` when it did not exit with 0.
    """
    words = [sys.executable, "-m", "runsc_py.runsc", "run", "--clean-env"]
    environment = environment_of(env)
    if user is None:
        environment.setdefault("HOME", "/root")
    for name, value in environment.items():
        words.append(f"--env={name}={value}")
    for volume in volumes_of(volumes):
        mode = "ro" if volume.read_only else "rw"
        words.append(f"--volume={volume.source}:{volume.destination}:{mode}")
    given = {
        "rootfs": rootfs,
        "image": image,
        "workdir": cwd if cwd is not None or image is not None else "/",
        "user": user,
        "network": network,
        "wall": wall,
        "cpu": cpu,
        "memory": None if memory is None else size_of("memory", memory),
        "pids": pids,
        "files": files,
        "export": export,
    }
    words += [f"--{name}={value}" for name, value in given.items() if value is not None]
    command_words = words_of(command)
    data = stdin.encode() if isinstance(stdin, str) else stdin
    with tempfile.TemporaryFile() as record:
        words.append(f"--result=fd:{record.fileno()}")
        done = subprocess.run(
            [*words, "--", *command_words],
            input=data,
            capture_output=True,
            pass_fds=(record.fileno(),),
        )
        record.seek(0)
        document = json.loads(record.read() or b"{}")
    if document.get("reason") in (None, "internal"):
        text = done.stderr.decode(errors="replace").strip().removeprefix("runsc-py: ")
        raise RunscError(document.get("message") or text, done.returncode)
    result = Result(
        command=command_words,
        reason=document["reason"],
        exit_code=document["exit_code"],
        signal=document["signal"],
        stdout=done.stdout,
        stderr=done.stderr,
        message=document["message"],
        wall=document["wall_ms"] / 1000,
        details=document,
    )
    return result.check() if check else result


async def run_async(command: Command, **options: object) -> Result:
    """The same for asyncio, in a thread; it is not cancelled: give it a `wall` limit."""
    import asyncio

    return await asyncio.to_thread(run, command, **options)  # type: ignore[arg-type]
