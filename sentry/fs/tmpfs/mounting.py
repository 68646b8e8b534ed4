"""Mounting tmpfs and ramfs: their options.  tmpfs(5)."""

from runsc_py.sentry.fs.host_file import PAGE_SIZE
from runsc_py.sentry.fs.tmpfs.filesystem import Ramfs, Tmpfs, memory_pages, pages_of
from runsc_py.sentry.vfs.filesystem_context import FileSystemContext, FileSystemType
from runsc_py.sentry.vfs.parameters import (
    FLAG,
    STRING,
    Given,
    Refusal,
    bad_value,
    flag,
    gid,
    octal,
    one_of,
    string,
    uid,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem
    from runsc_py.sentry.vfs.parameters import Parameter

_SUFFIXES = b"kmgtpe"
_DIGITS = {8: b"01234567", 10: b"0123456789", 16: b"0123456789abcdefABCDEF"}
_HUGE = {name.encode(): name for name in ("never", "always", "within_size", "advise")}
#: bytes, blocks, inodes: more than any memory has
_LARGEST = 1 << 63


def parse_memory(text: bytes) -> tuple[int, bytes]:
    """memparse(): a number, perhaps with a suffix, and the rest of the text."""
    base = 8 if text[:1] == b"0" else 10
    if text[:2].lower() == b"0x" and text[2:3] and text[2:3] in _DIGITS[16]:
        base, text = 16, text[2:]
    rest = text.lstrip(_DIGITS[base])
    digits = text[: len(text) - len(rest)]
    value = int(digits, base) if digits else 0
    suffix = rest[:1].lower()
    if suffix and suffix in _SUFFIXES:
        return value << 10 * (_SUFFIXES.index(suffix) + 1), rest[1:]
    return value, rest


def parse_size(kernel: "Kernel", name: bytes, text: bytes) -> int:
    """Bytes for a size, which may be in per cent of the memory.  Errors: Refusal."""
    size, rest = parse_memory(text)
    if rest == b"%":
        size, rest = size * memory_pages(kernel) * PAGE_SIZE // 100, b""
    if rest:
        raise bad_value(name)
    return min(size, _LARGEST)


def _count(name: bytes, text: bytes) -> int:
    value, rest = parse_memory(text)
    if rest or value >= _LARGEST:
        raise bad_value(name)
    return value


class TmpfsType(FileSystemType):
    """tmpfs."""

    name = "tmpfs"
    in_user_namespaces = True
    parameters: "dict[bytes, Parameter]" = {
        b"gid": gid,
        b"huge": one_of(_HUGE),
        b"inode32": flag,
        b"inode64": flag,
        b"mode": octal,
        b"mpol": string,
        b"noswap": flag,
        b"nr_blocks": string,
        b"nr_inodes": string,
        b"size": string,
        b"uid": uid,
    }

    def set(self, task: "Task", context: FileSystemContext, name: bytes, value: object) -> None:
        if name == b"noswap" and context.user_namespace.parent is not None:
            raise Refusal(b"Turning off swap in unprivileged tmpfs mounts unsupported")
        interpret(task.kernel, context.values, name, value)

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        made = Tmpfs(task.kernel, **arguments(context.values))
        made.container = task.thread_group.container
        return made

    def reconfigure(
        self, task: "Task", context: FileSystemContext, filesystem: "FileSystem"
    ) -> None:
        assert isinstance(filesystem, Tmpfs)
        given = arguments(context.values)
        _check_changes(filesystem, given)
        if "size" in given:
            filesystem.page_limit = pages_of(given["size"])
        if "inodes" in given:
            filesystem.inode_limit = given["inodes"]
        if "huge" in given:
            filesystem.huge = given["huge"]


def interpret(kernel: "Kernel", values: "dict[bytes, object]", name: bytes, value: object) -> None:
    """Take an option into account.  Errors: Refusal."""
    if name == b"size":
        assert isinstance(value, bytes)
        values[name] = parse_size(kernel, name, value)
    elif name == b"nr_blocks":
        assert isinstance(value, bytes)
        values[b"size"] = _count(name, value) * PAGE_SIZE
    elif name == b"nr_inodes":
        assert isinstance(value, bytes)
        values[name] = _count(name, value)
    elif name == b"mpol":
        raise Refusal(b"Unsupported parameter '%s'" % name)
    else:
        values[name] = value


def arguments(values: "dict[bytes, object]") -> "dict[str, Any]":
    """Parsed options as keyword arguments of `Tmpfs`."""
    given: dict[str, Any] = {}
    for name, value in values.items():
        if name == b"mode":
            assert isinstance(value, int)
            given["mode"] = value & 0o7777
        elif name in _KEYWORDS:
            given[_KEYWORDS[name]] = value
    return given


_KEYWORDS = {
    b"size": "size",
    b"nr_inodes": "inodes",
    b"uid": "uid",
    b"gid": "gid",
    b"huge": "huge",
    b"noswap": "noswap",
}


def _check_changes(tmpfs: Tmpfs, given: "dict[str, Any]") -> None:
    """What a tmpfs that is used cannot become.  Errors: Refusal."""
    pages, inodes = pages_of(given.get("size", 0)), given.get("inodes")
    if pages and not tmpfs.page_limit:
        raise Refusal(b"Cannot retroactively limit size")
    if pages and tmpfs.pages_used > pages:
        raise Refusal(b"Too small a size for current use")
    if inodes and not tmpfs.inode_limit:
        raise Refusal(b"Cannot retroactively limit inodes")
    if inodes and tmpfs.inodes_used > inodes:
        raise Refusal(b"Too few inodes for current use")
    if given.get("noswap") and not tmpfs.noswap:
        raise Refusal(b"Cannot disable swap on remount")


def parse_tmpfs(kernel: "Kernel", options: bytes) -> Tmpfs:
    """A tmpfs with these options, whose ids are global ones.  Errors: Refusal."""
    values: dict[bytes, object] = {}
    for option in filter(None, options.split(b",")):
        name, equals, value = option.partition(b"=")
        parameter = TmpfsType.parameters.get(name)
        if parameter is None:
            raise Refusal(b"Unknown parameter '%s'" % name)
        given = Given(STRING, value) if equals else Given(FLAG)
        interpret(kernel, values, name, parameter(name, given, kernel.root_user_namespace))
    return Tmpfs(kernel, **arguments(values))


class RamfsType(FileSystemType):
    """ramfs: tmpfs without limits, whose only option is the mode."""

    name = "ramfs"
    in_user_namespaces = True
    parameters: "dict[bytes, Parameter]" = {b"mode": octal}

    def unknown(self, context: FileSystemContext, name: bytes, given: Given) -> None:
        """Ignored, as ever."""

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        mode = context.values.get(b"mode", 0o755)
        assert isinstance(mode, int)
        return Ramfs(task.kernel, mode & 0o7777)


class DevtmpfsType(TmpfsType):
    """devtmpfs: the machine has one, which the first mount makes; its options are a remount's."""

    name = "devtmpfs"
    in_user_namespaces = False

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        from runsc_py.sentry.fs.dev.filesystem import DevFileSystem

        for mount in task.kernel.root_mount_namespace.mounts:
            if isinstance(mount.filesystem, DevFileSystem):
                return mount.filesystem
        return DevFileSystem(task.kernel)
