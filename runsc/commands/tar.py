"""`runsc-py tar rootfs-upper ID`: what a container changed in its root, as an archive."""

import os
import sys

from runsc_py.runsc.arguments import FILE, Option, Syntax
from runsc_py.runsc.commands.container_command import parse_or_help
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.runsc.containers.container import Container

ROOTFS_UPPER = "rootfs-upper"

SYNTAX = Syntax(
    "runsc-py [options] tar rootfs-upper [--file FILE] ID",
    "Write what a running container changed in its root directory, as a layer of an image: "
    "deleted names are .wh.NAME.",
    (
        (
            "options",
            (Option("--file", "FILE", "where (default: standard output)", completes=FILE),),
        ),
    ),
    operands=(ROOTFS_UPPER,),
    epilog="""\
Everything in the container waits meanwhile. The root needs an upper layer: that of a container
made with --overlay2=root:memory, or with a read-only root.

example:
  runsc-py tar rootfs-upper --file layer.tar web
""",
)


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Write it; a file replaces an older one only when it is complete."""
    parsed = parse_or_help(SYNTAX, name, words)
    if parsed is None:
        return 0
    if len(parsed.operands) != 2 or parsed.operands[0] != ROOTFS_UPPER:
        raise RunscError(f"tar: use tar {ROOTFS_UPPER} ID")
    from runsc_py.runsc.containers.container import Container

    container = Container.load(config.root, parsed.operands[1], log)
    if (path := parsed.last("file")) is not None:
        _write_file(container, path, log)
        return 0
    # Standard output may be a pipe, which would make the sandbox wait.
    descriptor = os.memfd_create("rootfs-upper", os.MFD_CLOEXEC)
    with open(descriptor, "rb") as file:
        _tar(container, descriptor, log)
        file.seek(0)
        while data := file.read(1 << 18):
            sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return 0


def _tar(container: "Container", descriptor: int, log: RuntimeLog) -> None:
    with container.client() as client:
        for path in client.tar_rootfs_upper(container.identifier, descriptor):
            message = f"{path} has no place in an archive"
            log.warning(message)
            sys.stderr.write(f"runsc-py: {message}\n")


def _write_file(container: "Container", path: str, log: RuntimeLog) -> None:
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, f".{name[:200]}.{os.getpid()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o666)
        try:
            _tar(container, descriptor, log)
            os.rename(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise RunscError(f"{path}: {error.strerror}") from None
