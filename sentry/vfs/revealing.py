"""Who may mount a whole proc or sysfs: Linux's mount_too_revealing().

In a mount namespace of a less privileged user namespace there may be files of proc that somebody
covered by a mount.  A new proc would show them, so it can only be mounted where one is to be seen
on which nothing is locked.
"""

from runsc_py.sentry.abi.mount_flags import MS_RDONLY
from runsc_py.sentry.errors import EPERM
from runsc_py.sentry.vfs.mount import ACCESS_TIME_FLAGS, Mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task
    from runsc_py.sentry.vfs.inode import FileSystem


def locked_by_others(task: "Task", filesystem: "FileSystem", flags: int) -> int:
    """The flags that a new mount has to keep, as another one of the type has.  Errors: EPERM."""
    namespace = task.namespaces.mount
    if not filesystem.shows_system or namespace.user_namespace.parent is None:
        return 0
    for mount in namespace.mounts:
        if mount.filesystem.type_name == filesystem.type_name and _shows_all(mount, flags):
            return mount.locked_flags & (MS_RDONLY | ACCESS_TIME_FLAGS)
    raise EPERM


def _shows_all(mount: Mount, flags: int) -> bool:
    """Whether a new mount with these flags would show no more than this one."""
    if mount.root is not mount.filesystem.root_dentry():
        return False
    if mount.locked_flags & MS_RDONLY and not flags & MS_RDONLY:
        return False
    if mount.locked_flags & ACCESS_TIME_FLAGS and (mount.flags ^ flags) & ACCESS_TIME_FLAGS:
        return False
    return not any(child.locked for child in mount.children.values())
