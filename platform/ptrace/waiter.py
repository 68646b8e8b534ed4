"""A process of a few pages that stands for one inside: native/waiter.c."""

import os

from runsc_py.platform.ptrace._hot import ffi, lib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class ExitTexts:
    """What is left behind in a file: `head`, the status and `tail`; `gone` without an answer."""

    __slots__ = ("gone", "head", "tail")

    def __init__(self, head: bytes, tail: bytes, gone: bytes) -> None:
        self.head = head
        self.tail = tail
        self.gone = gone


class SignalRequest:
    """The frame by which a signal is passed on; its number is the byte at `place`."""

    __slots__ = ("frame", "place")

    def __init__(self, frame: bytes, place: int) -> None:
        self.frame = frame
        self.place = place


def become_waiter(
    connection: int,
    answer: int,
    record: int,
    ready: int,
    texts: ExitTexts,
    signal: SignalRequest,
    seccomp_filter: bytes,
) -> "NoReturn":
    """Let go of this process's memory, wait for an answer, and end with the status that it is.

    `connection` is one to the control server, `answer` the number of the request, `record` a file
    for the exit record or -1.  `ready` is closed when signals are passed on.  What the process may
    call from then on is a filter of seccomp(2).  Raises OSError.
    """
    head, tail, gone = (ffi.new("char[]", text) for text in (texts.head, texts.tail, texts.gone))
    request = ffi.new("char[]", signal.frame)
    program = ffi.new("char[]", seccomp_filter)
    setup = ffi.new(
        "struct waiter_setup *",
        {
            "connection": connection,
            "answer": answer,
            "record": record,
            "ready": ready,
            "head": head,
            "tail": tail,
            "gone": gone,
            "request": request,
            "request_size": len(signal.frame),
            "number_at": signal.place,
            "filter": program,
            "filter_size": len(seccomp_filter),
        },
    )
    error = -lib.waiter_become(setup)
    raise OSError(error, os.strerror(error))
