"""The bundle of a `Container`: what it is to be, and a first process that only waits.

That process reads its standard input, a pipe that the owner of the container holds: when the pipe
ends, because the container is closed or because its owner has died, the process exits, and with it
everything in the container.
"""

from __future__ import annotations

import json
import os
import struct

from runsc_py.sentry.auth.capabilities import CAPABILITY_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.api.settings import Settings

#: where the first process's program is in the sandbox: below /dev, which no export has
INIT = "/dev/.runsc-py-init"
_BASE = 0x400000
_HEADERS = 64 + 56
#: signal(SIGCHLD, SIG_IGN), so that orphans are reaped; then while (read(0, …, 1) > 0); _exit(0)
_CODE = bytes.fromhex(
    "6a00 6a00 6a00 6a01 b80d000000 bf11000000 4889e6 31d2 41ba08000000 0f05"
    "31c0 31ff 4889e6 ba01000000 0f05 4885c0 7fec"
    "b8e7000000 31ff 0f05"
)


def init_program() -> bytes:
    """A static x86-64 program of a page."""
    size = _HEADERS + len(_CODE)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", identity, 2, 62, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + _CODE


def capabilities() -> dict[str, list[str]]:
    """Those of root inside, which has all."""
    names = [f"CAP_{name.upper()}" for name in CAPABILITY_NAMES]
    return dict.fromkeys(("bounding", "effective", "permitted"), names)


def write_bundle(directory: str, settings: Settings) -> None:
    """config.json and the first process's program.  Raises OSError."""
    init = os.path.join(directory, "init")
    with open(init, "wb") as file:
        file.write(init_program())
    os.chmod(init, 0o755)
    mounts = [
        _mount("/proc", "proc", "proc"),
        _mount("/dev", "tmpfs", "tmpfs", "nosuid", "mode=755"),
        _mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "gid=5", "mode=620"),
        _mount("/dev/shm", "tmpfs", "shm", "nosuid", "nodev", "mode=1777"),
        _mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        _mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        _mount(INIT, "bind", init, "bind", "ro"),
    ]
    for tmpfs in settings.tmpfs:
        size = [f"size={tmpfs.size}"] if tmpfs.size is not None else []
        mounts.append(_mount(tmpfs.destination, "tmpfs", "tmpfs", *size))
    for volume in settings.volumes:
        mode = "ro" if volume.read_only else "rw"
        mounts.append(_mount(volume.destination, "bind", volume.source, "rbind", mode))
    resources: dict[str, object] = {}
    if settings.memory is not None:
        resources["memory"] = {"limit": settings.memory}
    if settings.pids is not None:
        resources["pids"] = {"limit": settings.pids + 1}  # the first process
    namespaces = ("pid", "network", "ipc", "uts", "mount")
    annotations = {}
    if settings.sandbox is not None:
        annotations = {
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.sandbox-id": settings.sandbox,
        }
    document = {
        "ociVersion": "1.2.0",
        "process": {
            "args": [INIT],
            "cwd": "/",
            "user": {"uid": 0, "gid": 0},
            "env": [f"{name}={value}" for name, value in settings.environment.items()],
            "capabilities": capabilities(),
        },
        "root": {"path": settings.rootfs},
        "hostname": settings.host_name,
        "annotations": annotations,
        "mounts": mounts,
        "linux": {"namespaces": [{"type": one} for one in namespaces], "resources": resources},
    }
    with open(os.path.join(directory, "config.json"), "w") as file:
        json.dump(document, file)


def _mount(destination: str, kind: str, source: str, *options: str) -> dict[str, object]:
    return {"destination": destination, "type": kind, "source": source, "options": [*options]}
