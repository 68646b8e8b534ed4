"""/proc/sysvipc: the System V objects of the reader's IPC namespace, one a line.  sysvipc(7)."""

from runsc_py.sentry.abi.memory import page_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.task import Task

_SHARED_MEMORY_HEAD = (
    b"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid"
    b"  cgid      atime      dtime      ctime                   rss                  swap\n"
)
_SEMAPHORE_HEAD = (
    b"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n"
)
_MESSAGE_HEAD = (
    b"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid"
    b"      stime      rtime      ctime\n"
)


def shared_memory(task: "Task") -> bytes:
    """/proc/sysvipc/shm."""
    from runsc_py.sentry.ipc.shared_memory import segments

    seen = task.credentials.user_namespace
    lines = [_SHARED_MEMORY_HEAD]
    for segment in segments(task.namespaces.ipc).slots.values():
        size = page_up(segment.size)
        lines.append(
            b"%10d %10d  %4o %21d %5d %5d  %5d %5d %5d %5d %5d %10d %10d %10d %21d %21d\n"
            % (
                segment.key,
                segment.identifier,
                segment.mode | (0o1000 if segment.removed else 0),
                segment.size,
                segment.creator.seen_by(task),
                segment.last_user.seen_by(task),
                segment.attached,
                seen.uid_map.map_to_namespace(segment.uid),
                seen.gid_map.map_to_namespace(segment.gid),
                seen.uid_map.map_to_namespace(segment.creator_uid),
                seen.gid_map.map_to_namespace(segment.creator_gid),
                segment.attach_time,
                segment.detach_time,
                segment.change_time,
                size,
                0,
            )
        )
    return b"".join(lines)


def semaphores(task: "Task") -> bytes:
    """/proc/sysvipc/sem."""
    from runsc_py.sentry.ipc.semaphores import semaphore_sets

    seen = task.credentials.user_namespace
    lines = [_SEMAPHORE_HEAD]
    for found in semaphore_sets(task.namespaces.ipc).slots.values():
        lines.append(
            b"%10d %10d  %4o %10d %5d %5d %5d %5d %10d %10d\n"
            % (
                found.key,
                found.identifier,
                found.mode,
                len(found.values),
                seen.uid_map.map_to_namespace(found.uid),
                seen.gid_map.map_to_namespace(found.gid),
                seen.uid_map.map_to_namespace(found.creator_uid),
                seen.gid_map.map_to_namespace(found.creator_gid),
                found.operation_time,
                found.change_time,
            )
        )
    return b"".join(lines)


def messages(task: "Task") -> bytes:
    """/proc/sysvipc/msg."""
    from runsc_py.sentry.ipc.messages import message_queues

    seen = task.credentials.user_namespace
    lines = [_MESSAGE_HEAD]
    for found in message_queues(task.namespaces.ipc).slots.values():
        lines.append(
            b"%10d %10d  %4o  %10d %10d %5d %5d %5d %5d %5d %5d %10d %10d %10d\n"
            % (
                found.key,
                found.identifier,
                found.mode,
                found.used,
                len(found.messages),
                found.last_sender.seen_by(task),
                found.last_receiver.seen_by(task),
                seen.uid_map.map_to_namespace(found.uid),
                seen.gid_map.map_to_namespace(found.gid),
                seen.uid_map.map_to_namespace(found.creator_uid),
                seen.gid_map.map_to_namespace(found.creator_gid),
                found.send_time,
                found.receive_time,
                found.change_time,
            )
        )
    return b"".join(lines)
