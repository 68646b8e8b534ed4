"""OCI bundles that tests make: a root directory of busybox, and a config.json.

`DEFAULT` is what `runc spec` writes, without a terminal and without resources.
"""

import copy
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Config = dict[str, Any]

APPLETS = """
awk basename cat chmod chown cp cut date dd df dirname dmesg du echo env false find free grep head
hostname id ip ipcs kill ln ls mkdir mknod mount mv nc nproc od pgrep ping pkill ps pwd readlink
realpath rm rmdir sed seq setsid sh sleep sort stat stty sync tail tee test timeout top touch tr
true tty umount uname uniq unshare usleep wc wget which whoami xargs yes
"""

PASSWD = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n"
GROUP = "root:x:0:\nalice:x:1000:\nstaff:x:50:alice\n"

_SETS = ("bounding", "effective", "permitted", "ambient")
CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

DEFAULT: Config = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["sh"],
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": dict.fromkeys(_SETS, CAPABILITIES),
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": False},
    "hostname": "bundle",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        {
            "destination": "/dev/shm",
            "type": "tmpfs",
            "source": "shm",
            "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        },
        {
            "destination": "/dev/mqueue",
            "type": "mqueue",
            "source": "mqueue",
            "options": ["nosuid", "noexec", "nodev"],
        },
        {
            "destination": "/sys",
            "type": "sysfs",
            "source": "sysfs",
            "options": ["nosuid", "noexec", "nodev", "ro"],
        },
    ],
    "linux": {
        "namespaces": [{"type": name} for name in ("pid", "network", "ipc", "uts", "mount")],
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def merge(config: Config, changes: Mapping[str, Any]) -> Config:
    """`config` with `changes`: tables are merged, `KEY+` appends to a list, the rest replaces.

    An empty string in place of a table or a list removes it.
    """
    merged = copy.copy(config)
    for key, value in changes.items():
        if key.endswith("+"):
            merged[key[:-1]] = [*merged.get(key[:-1], []), *value]
        elif value == "" and isinstance(merged.get(key), dict | list):
            del merged[key]
        elif isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def busybox() -> str | None:
    """The statically linked busybox, when it is installed."""
    return shutil.which("busybox")


def make_rootfs(directory: Path) -> Path:
    """A small root directory: busybox under its usual names, users, and mount points."""
    program = busybox()
    assert program is not None, "ask for busybox before making a root directory"
    for name in ("bin", "dev", "etc", "home/alice", "proc", "root", "sys", "tmp", "var"):
        (directory / name).mkdir(parents=True)
    (directory / "tmp").chmod(0o1777)
    os.chown(directory / "home" / "alice", *((1000, 1000) if os.geteuid() == 0 else (-1, -1)))
    shutil.copy(program, directory / "bin" / "busybox")
    for applet in APPLETS.split():
        (directory / "bin" / applet).symlink_to("busybox")
    (directory / "etc" / "passwd").write_text(PASSWD)
    (directory / "etc" / "group").write_text(GROUP)
    return directory


def make_bundle(directory: Path, changes: Mapping[str, Any] | None = None) -> Path:
    """A bundle with the default configuration, changed."""
    make_rootfs(directory / "rootfs")
    config = merge(DEFAULT, changes or {})
    (directory / "config.json").write_text(json.dumps(config, indent=1))
    return directory
