"""Receive queues: what was sent to a socket and not read yet.

One kind of queue serves datagrams, packets and byte streams.  Every segment is charged to
the queue with an overhead, as Linux charges an sk_buff, so that neither many small nor few large
messages can take more memory than the buffer size allows.
"""

from collections import deque

from runsc_py.sentry.abi.sockets import MSG_PEEK, MSG_TRUNC
from runsc_py.sentry.socket.messages import Incoming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.socket.messages import SocketCredentials
    from runsc_py.sentry.socket.socket import Socket
    from runsc_py.sentry.vfs.open_file import OpenFile

#: what a segment costs besides its bytes (Linux's sk_buff and its rounding)
SEGMENT_OVERHEAD = 767


class Segment:
    """Bytes sent in one piece, and what came with them."""

    __slots__ = ("address", "charge", "credentials", "data", "offset", "rights", "sender")

    def __init__(
        self,
        data: bytes,
        *,
        address: bytes | None = None,
        rights: "list[OpenFile] | None" = None,
        credentials: "SocketCredentials | None" = None,
        sender: "Socket | None" = None,
        overhead: int = SEGMENT_OVERHEAD,
    ) -> None:
        self.data = data
        #: how much of a stream's segment has been read
        self.offset = 0
        self.charge = len(data) + overhead
        self.address = address
        #: a reference of each belongs to the segment
        self.rights = rights
        self.credentials = credentials
        #: who is told when the segment has been read
        self.sender = sender

    def drop(self) -> None:
        """It will never be read."""
        if self.rights:
            for file in self.rights:
                file.drop()
            self.rights = None


class ReceiveQueue:
    """Segments in the order of arrival."""

    __slots__ = ("charged", "pending_bytes", "segments")

    def __init__(self) -> None:
        self.segments: deque[Segment] = deque()
        #: bytes with overhead
        self.charged = 0
        #: bytes that reads will return
        self.pending_bytes = 0

    def __bool__(self) -> bool:
        return bool(self.segments)

    def __len__(self) -> int:
        return len(self.segments)

    def passed_files(self) -> int:
        """How many open files wait to be received (SCM_RIGHTS)."""
        return sum(len(segment.rights or ()) for segment in self.segments)

    def append(self, segment: Segment) -> None:
        """A message arrived; the sender has checked that there is room."""
        self.segments.append(segment)
        self.charged += segment.charge
        self.pending_bytes += len(segment.data)

    def _pop(self) -> Segment:
        segment = self.segments.popleft()
        self.charged -= segment.charge
        return segment

    def clear(self) -> None:
        """Drop everything unread."""
        while self.segments:
            self._pop().drop()
        self.pending_bytes = 0

    # -- datagrams and packets --------------------------------------------------------

    def take_message(self, size: int, flags: int) -> Incoming:
        """The first message, cut to `size`; the queue is not empty."""
        segment = self.segments[0]
        data = segment.data
        rights = segment.rights
        if flags & MSG_PEEK:
            _acquire(rights)
        else:
            self._pop()
            self.pending_bytes -= len(data)
            segment.rights = None
        return Incoming(
            data if len(data) <= size else data[:size],
            full_size=len(data),
            address=segment.address,
            flags=MSG_TRUNC if len(data) > size else 0,
            rights=rights,
            credentials=segment.credentials,
        )

    # -- streams ----------------------------------------------------------------------

    def take_bytes(self, size: int, flags: int, by_sender: bool) -> Incoming:
        """Up to `size` bytes; the queue is not empty.

        Files come with the first bytes of the segment they were sent with, and nothing is
        read beyond that segment.  `by_sender` (SO_PASSCRED) keeps bytes of different senders
        apart.
        """
        first = self.segments[0]
        if (
            not flags & MSG_PEEK
            and first.offset == 0
            and len(first.data) == size
            and first.rights is None
        ):
            self._pop()
            self.pending_bytes -= size
            return Incoming(first.data, address=first.address, credentials=first.credentials)
        return self._gather(size, flags, by_sender)

    def _gather(self, size: int, flags: int, by_sender: bool) -> Incoming:
        peek = bool(flags & MSG_PEEK)
        first = self.segments[0]
        pieces: list[bytes] = []
        rights: list[OpenFile] | None = None
        remaining = size
        finished: int = 0
        for segment in self.segments:
            if by_sender and not _same_sender(first, segment):
                break
            piece = segment.data[segment.offset : segment.offset + remaining]
            pieces.append(piece)
            remaining -= len(piece)
            if segment.rights:
                rights = segment.rights
                if peek:
                    _acquire(rights)
                else:
                    segment.rights = None
            if not peek:
                segment.offset += len(piece)
                if segment.offset == len(segment.data):
                    finished += 1
            if not remaining or rights:
                break
        for _ in range(finished):
            self._pop()
        data = b"".join(pieces) if len(pieces) != 1 else pieces[0]
        if not peek:
            self.pending_bytes -= len(data)
        return Incoming(data, address=first.address, rights=rights, credentials=first.credentials)


def _acquire(rights: "list[OpenFile] | None") -> None:
    for file in rights or ():
        file.acquire()


def _same_sender(first: Segment, other: Segment) -> bool:
    if first.credentials is None or other.credentials is None:
        return first.credentials is other.credentials
    return first.credentials.same_as(other.credentials)
