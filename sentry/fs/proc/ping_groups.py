"""/proc/sys/net/ipv4/ping_group_range: whose groups may have ICMP sockets (icmp(7)).

Engines set it in every container they start.
"""

from runsc_py.sentry.errors import EINVAL
from runsc_py.sentry.fs.synthetic import File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

#: what is stored for a range that has no group in it
NOBODY = (1, 0)


def _show(task: "Task") -> bytes:
    to_guest = task.credentials.user_namespace.gid_map.map_to_namespace
    first, last = task.namespaces.network.ping_groups
    return b"%d\t%d\n" % (to_guest(first), to_guest(last))


def _change(task: "Task", data: bytes) -> None:
    """One number changes the first only; those after the second are nobody's business."""
    gids = task.credentials.user_namespace.gid_map
    network = task.namespaces.network
    written = []
    for word in data.split()[:2]:
        gid = gids.to_global(int(word)) if word.isdigit() else None
        if gid is None:
            raise EINVAL
        written.append(gid)
    first, last = written + list(network.ping_groups[len(written) :])
    network.ping_groups = (first, last) if first <= last else NOBODY


PING_GROUP_RANGE = File(_show, _change)
