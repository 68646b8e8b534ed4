"""Mounting an overlay: from the options to the layers.

The upper directory has to be of a tmpfs: whiteouts are device nodes, which neither another overlay
nor a host directory takes (Linux refuses such upper layers too).  What an overlay has to remember
of copies it remembers in memory, so that the options about how Linux writes it into the upper layer
(index, metacopy, xino, userxattr…) are taken, shown, and change nothing.
"""

from runsc_py.sentry.abi.mount_flags import MS_RDONLY
from runsc_py.sentry.errors import EINVAL, ELOOP, EROFS
from runsc_py.sentry.fs.layer import LayerDirectory
from runsc_py.sentry.fs.overlay.filesystem import Overlay
from runsc_py.sentry.fs.tmpfs.directory import TmpfsDirectory
from runsc_py.sentry.vfs.filesystem_context import (
    RECONFIGURE_PARAMETERS,
    FileSystemContext,
    FileSystemType,
)
from runsc_py.sentry.vfs.open_file import OpenFile
from runsc_py.sentry.vfs.parameters import (
    STRING,
    Given,
    Refusal,
    bad_value,
    file_or_string,
    flag,
    one_of,
)
from runsc_py.sentry.vfs.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.sentry.auth.user_namespace import UserNamespace
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem
    from runsc_py.sentry.vfs.parameters import Parameter


def _words(*words: str) -> "Parameter":
    return one_of({word.encode(): word for word in words})


def _names(name: bytes, given: Given, namespace: "UserNamespace") -> object:
    """Text, which may be empty, or a file."""
    if given.kind == STRING:
        return given.text
    return file_or_string(name, given, namespace)


# What a context knows that is no option
_LOWERS = b"the lower layers"
_WHOLE = b"whether they were all named at once"
_SHOWN = b"the layers as they were given"

_REPEATED = (b"lowerdir+",)
_ORDER = (b"lowerdir", b"lowerdir+", b"upperdir", b"workdir")
#: what is shown when it is not the default, in Linux's order
_DEFAULTS = {
    b"redirect_dir": ("off", "follow"),
    b"index": ("off",),
    b"uuid": ("auto", "on"),
    b"nfs_export": ("off",),
    b"xino": ("off", "auto", "on"),
    b"metacopy": ("off",),
}


class OverlayType(FileSystemType):
    """overlay."""

    name = "overlay"
    in_user_namespaces = True
    ignores_options_of_remount = True
    parameters: "dict[bytes, Parameter]" = {
        b"index": _words("on", "off"),
        b"lowerdir": _names,
        b"lowerdir+": file_or_string,
        b"metacopy": _words("on", "off"),
        b"nfs_export": _words("on", "off"),
        b"redirect_dir": _words("on", "off", "follow", "nofollow"),
        b"upperdir": file_or_string,
        b"userxattr": flag,
        b"uuid": _words("on", "off", "auto", "null"),
        b"volatile": flag,
        b"workdir": file_or_string,
        b"xino": _words("on", "off", "auto"),
    }

    def split(self, options: bytes) -> list[bytes]:
        return split_escaped(options, b",")

    def set(self, task: "Task", context: FileSystemContext, name: bytes, value: object) -> None:
        if context.phase == RECONFIGURE_PARAMETERS:
            self.refuse_change()
        values = context.values
        if name == b"lowerdir":
            values[_WHOLE] = True
            values[_LOWERS] = _lower_layers(task, value)
        elif name == b"lowerdir+":
            if _WHOLE in values:
                raise Refusal(b"lowerdir+ and datadir+ cannot follow lowerdir")
            values[_LOWERS] = [*_list(values, _LOWERS), _layer(task, value)]
        elif name in (b"upperdir", b"workdir"):
            values[name] = _layer(task, unescape(value) if isinstance(value, bytes) else value)
        else:
            values[name] = value
            return
        text = value if isinstance(value, bytes) else b""
        others = [shown for shown in _list(values, _SHOWN) if name in _REPEATED or shown[0] != name]
        values[_SHOWN] = [*others, (name, text)]

    def unknown(self, context: FileSystemContext, name: bytes, given: Given) -> None:
        if context.phase == RECONFIGURE_PARAMETERS:
            self.refuse_change()
        super().unknown(context, name, given)

    def refuse_change(self) -> None:
        """fsconfig(2) of an existing overlay."""
        raise Refusal(b"No changes allowed in reconfigure")

    def make(self, task: "Task", context: FileSystemContext) -> "FileSystem":
        values = context.values
        lowers = _list(values, _LOWERS)
        upper, work = values.get(b"upperdir"), values.get(b"workdir")
        if not lowers or (upper is None) != (work is None):
            raise EINVAL
        if upper is None:
            if len(lowers) < 2 or b"volatile" in values:
                raise EINVAL
            context.flags |= MS_RDONLY
        elif not _are_upper(upper, work):
            raise EINVAL
        layers = [*lowers] if upper is None else [upper, *lowers]
        if len(set(layers)) < len(layers):
            raise ELOOP
        assert upper is None or isinstance(upper, TmpfsDirectory)
        moves_directories = values.get(b"redirect_dir") == "on"
        return Overlay(
            task.kernel,
            upper,
            tuple(lowers),
            _shown(values),
            moves_directories=moves_directories,
        )

    def reconfigure(
        self, task: "Task", context: FileSystemContext, filesystem: "FileSystem"
    ) -> None:
        assert isinstance(filesystem, Overlay)
        flags = filesystem.flags & ~context.mask | context.flags & context.mask
        if filesystem.root.upper is None and not flags & MS_RDONLY:
            raise EROFS


def _are_upper(upper: object, work: object) -> bool:
    """Whether these may be the upper and the work directory of one overlay."""
    if not isinstance(upper, TmpfsDirectory) or not isinstance(work, TmpfsDirectory):
        return False
    return work.filesystem is upper.filesystem and work is not upper


def _shown(values: dict[bytes, object]) -> list[str]:
    shown = [
        f"{name.decode()}={escape_option(value).decode(errors='surrogateescape')}"
        for name, value in sorted(_list(values, _SHOWN), key=lambda shown: _ORDER.index(shown[0]))
    ]
    for name, defaults in _DEFAULTS.items():
        value = values.get(name)
        if isinstance(value, str) and value not in defaults:
            shown.append(f"{name.decode()}={value}")
    if b"volatile" in values:
        shown.append("fsync=volatile")
    if b"userxattr" in values:
        shown.append("userxattr")
    return shown


def _lower_layers(task: "Task", value: object) -> list[LayerDirectory]:
    """Those of lowerdir=.  Errors: as `_layer`; EINVAL (data-only layers)."""
    if not isinstance(value, bytes):
        raise bad_value(b"lowerdir")
    names = split_escaped(value, b":") if value else []
    if not all(names):
        raise EINVAL
    return [_layer(task, unescape(name)) for name in names]


def _list(values: "dict[bytes, object]", name: bytes) -> "list[Any]":
    found = values.get(name, [])
    assert isinstance(found, list)
    return found


def _layer(task: "Task", what: object) -> LayerDirectory:
    """The directory that a name or an open file is.  Errors: EINVAL, those of the walk."""
    if isinstance(what, OpenFile):
        place = what.path
    else:
        assert isinstance(what, bytes)
        place = walk(task, what)
    inode = place.inode
    if not inode.is_directory:
        name = what if isinstance(what, bytes) else place.dentry.name
        raise Refusal(b"%s is not a directory" % name)
    if not isinstance(inode, LayerDirectory):
        raise Refusal(b"filesystem not supported")
    return inode


def split_escaped(text: bytes, separator: bytes) -> list[bytes]:
    """The parts between separators that no backslash stands before."""
    import re

    return re.split(rb"(?<!\\)" + separator, text)


def escape_option(text: bytes) -> bytes:
    """As mountinfo has the value of an option."""
    import re

    return re.sub(rb"[, \t\n\\]", lambda found: b"\\%03o" % found[0][0], text)


def unescape(text: bytes) -> bytes:
    """Without the backslashes."""
    import re

    return re.sub(rb"\\(.)", rb"\1", text, flags=re.DOTALL)
